"""Commands on places (redis.io, "Geospatial"): sorted sets whose scores are geohashes."""
