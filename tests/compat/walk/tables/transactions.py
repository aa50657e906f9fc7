"""MULTI, EXEC and WATCH around whatever comes."""

TABLE = """
!MULTI
!2: EXEC
!DISCARD
WATCH {key+}
UNWATCH
"""
