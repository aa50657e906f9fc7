"""Places on the earth, which are sorted sets."""

TABLE = """
6: GEOADD {geo} {longitude latitude place+}
2: GEOADD {geo} [{NX|XX}] [CH] {longitude latitude place+}
GEOPOS {geo} {place+}
GEOHASH {geo} {place+}
GEODIST {geo} {place} {place} [{unit}]
2: GEOSEARCH {geo} FROMMEMBER {place} BYRADIUS {distance} {unit} [{ASC|DESC}] [COUNT {count} ANY] [WITHCOORD] [WITHDIST] [WITHHASH]
2: GEOSEARCH {geo} FROMLONLAT {longitude} {latitude} BYRADIUS {distance} {unit} [{ASC|DESC}] [COUNT {count}] [WITHCOORD] [WITHDIST]
2: GEOSEARCH {geo} FROMLONLAT {longitude} {latitude} BYBOX {distance} {distance} {unit} [{ASC|DESC}] [COUNT {count}] [WITHCOORD] [WITHDIST] [WITHHASH]
GEOSEARCH {geo} FROMMEMBER {place} BYBOX {distance} {distance} {unit} [{ASC|DESC}] [COUNT {count} ANY]
GEOSEARCH {geo} BYPOLYGON {#longitude latitude+} [{ASC|DESC}] [COUNT {count}] [WITHCOORD] [WITHDIST] [WITHHASH]
GEOSEARCHSTORE {geo} {geo} FROMLONLAT {longitude} {latitude} BYRADIUS {distance} {unit} [{ASC|DESC}] [COUNT {count}] [STOREDIST]
GEOSEARCHSTORE {geo} {geo} FROMMEMBER {place} BYBOX {distance} {distance} {unit} [{ASC|DESC}] [COUNT {count} ANY] [STOREDIST]
GEORADIUS {geo} {longitude} {latitude} {distance} {unit} [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT {count} ANY] [{ASC|DESC}]
GEORADIUS {geo} {longitude} {latitude} {distance} {unit} [COUNT {count}] [{ASC|DESC}] [STORE {geo}] [STOREDIST {geo}]
GEORADIUS_RO {geo} {longitude} {latitude} {distance} {unit} [WITHCOORD] [WITHDIST] [COUNT {count}] [{ASC|DESC}]
GEORADIUSBYMEMBER {geo} {place} {distance} {unit} [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT {count}] [{ASC|DESC}]
GEORADIUSBYMEMBER {geo} {place} {distance} {unit} [COUNT {count}] [STORE {geo}] [STOREDIST {geo}]
GEORADIUSBYMEMBER_RO {geo} {place} {distance} {unit} [WITHDIST] [COUNT {count} ANY] [{ASC|DESC}]
"""
