/* A segment: a hash table of up to 128 buckets, each of them one cache line.
 *
 *     | 7 tags of 1 byte | passed 1 | 7 pointers to entries |
 *
 * A key belongs into the bucket that the upper bits of its hash name, its home. If that is full it stands in the next
 * bucket with room, and each bucket that it went past counts it. So a search ends at the first bucket that no key has
 * passed. The tag is a byte of the hash: of the entries of a bucket, hardly another than the one sought is looked at.
 */

#ifndef GOSSAMER_SEGMENT_H
#define GOSSAMER_SEGMENT_H

#include "entry.h"

#define PLACES 7
#define MOST_BITS 7 /* 128 buckets: few enough to be moved at once */
#define SATURATED 255
#define SETTLED_BYTES 1024 /* longer entries stay where they are */

typedef struct {
    uint8_t tag[PLACES]; /* 0: no entry */
    uint8_t passed;      /* SATURATED: at least so many; it is not counted any more */
    Entry *entry[PLACES];
} Bucket;

typedef struct {
    Bucket *bucket;
    uint32_t count, expiring; /* entries */
    uint16_t room;            /* entries, beyond which it shall grow */
    uint8_t depth;            /* bits of the hash that all keys here share */
    uint8_t bits;             /* the next bits name the home: there are 1 << bits buckets */
} Segment;

static Bucket no_bucket;
static Segment no_segment = {.bucket = &no_bucket}; /* of all empty tables; it has no room */

static size_t bucket_bytes(unsigned bits) { return sizeof(Bucket) << bits; }
static uint16_t room_of(unsigned bits) { return (uint16_t)((PLACES << bits) * 7 / 8); }
static uint8_t tag_of(uint64_t hash) { return (uint8_t)(hash | 1); }
static uint32_t mask_of(const Segment *segment) { return ((uint32_t)1 << segment->bits) - 1; }

/* Where ``hash`` belongs. Shifted twice, for a shift by 64 is undefined. */
static uint32_t home_of(const Segment *segment, uint64_t hash)
{
    return (uint32_t)(hash << segment->depth >> 1 >> (63 - segment->bits));
}

/* The upper bit of byte i is set if place i has this tag (a property of words: none of these sums carries). */
static uint64_t places_with(const Bucket *bucket, uint8_t tag)
{
    const uint64_t all = 0x0101010101010101, low = all * 0x7f;
    uint64_t difference = load_word(bucket->tag) ^ all * tag;
    return ~(((difference & low) + low) | difference | low) << 8 >> 8;
}

static int first_of(uint64_t places) { return __builtin_ctzll(places) / 8; }

#define EACH_PLACE(place, places) (uint64_t left = (places); left && (place = first_of(left), 1); left &= left - 1)

/* NULL for want of memory. */
static Segment *segment_new(unsigned depth, unsigned bits)
{
    Segment *segment = heap_take(sizeof *segment);
    Bucket *bucket = segment ? heap_take(bucket_bytes(bits)) : NULL;
    if (!bucket) {
        if (segment)
            heap_give_back(segment, sizeof *segment);
        return NULL;
    }
    memset(bucket, 0, bucket_bytes(bits));
    *segment = (Segment){.bucket = bucket, .room = room_of(bits), .depth = (uint8_t)depth, .bits = (uint8_t)bits};
    return segment;
}

static void segment_free(Segment *segment)
{
    if (segment == &no_segment)
        return;
    heap_give_back(segment->bucket, bucket_bytes(segment->bits));
    heap_give_back(segment, sizeof *segment);
}

static size_t segment_cost(const Segment *segment)
{
    return segment == &no_segment ? 0 : heap_cost(sizeof *segment) + heap_cost(bucket_bytes(segment->bits));
}

/* The bucket in which ``key`` stands, and its place there; NULL if it does not. */
static Bucket *segment_find(const Segment *segment, uint64_t hash, const char *key, size_t size, int *place)
{
    uint32_t mask = mask_of(segment), at = home_of(segment, hash);
    for (uint32_t step = 0; step <= mask; step++, at = (at + 1) & mask) {
        Bucket *bucket = &segment->bucket[at];
        for EACH_PLACE (*place, places_with(bucket, tag_of(hash)))
            if (entry_has_key(bucket->entry[*place], key, size))
                return bucket;
        if (!bucket->passed)
            return NULL;
    }
    return NULL;
}

/* Put in an entry whose key is not there. The segment has room. */
static void segment_add(Segment *segment, uint64_t hash, Entry *entry)
{
    uint32_t mask = mask_of(segment), at = home_of(segment, hash);
    uint64_t free;
    while (!(free = places_with(&segment->bucket[at], 0))) {
        segment->bucket[at].passed += segment->bucket[at].passed < SATURATED;
        at = (at + 1) & mask;
    }
    segment->bucket[at].tag[first_of(free)] = tag_of(hash);
    segment->bucket[at].entry[first_of(free)] = entry;
    segment->count++;
    segment->expiring += (entry->flags & EXPIRES) != 0;
}

/* Take an entry out; it is the caller's. */
static Entry *segment_take_out(Segment *segment, uint64_t hash, Bucket *bucket, int place)
{
    uint32_t mask = mask_of(segment), there = (uint32_t)(bucket - segment->bucket);
    for (uint32_t at = home_of(segment, hash); at != there; at = (at + 1) & mask)
        segment->bucket[at].passed -= segment->bucket[at].passed < SATURATED;
    bucket->tag[place] = 0;
    segment->count--;
    segment->expiring -= (bucket->entry[place]->flags & EXPIRES) != 0;
    return bucket->entry[place];
}

#define EACH_BUCKET(bucket, segment)                                                                                   \
    (Bucket *bucket = (segment)->bucket, *behind = bucket + mask_of(segment) + 1; bucket < behind; bucket++)

/* Which places of ``bucket`` have an entry. */
static uint64_t places_taken(const Bucket *bucket)
{
    const uint64_t all = 0x0080808080808080;
    return ~places_with(bucket, 0) & all;
}

/* Have the entries fetched that a loop comes to two buckets later. */
static void fetch_ahead(const Bucket *bucket, const Bucket *behind)
{
    int place;
    if (bucket + 2 < behind)
        for EACH_PLACE (place, places_taken(bucket + 2))
            __builtin_prefetch(bucket[2].entry[place]);
}

/* Move all entries of ``from`` to where they belong: ``low``, or ``high`` if the bit of their hash behind the ``depth``
 * of ``from`` is set. With ``settle`` they also move in memory, so that sparse pages empty. */
static void segment_pour(const Segment *from, Segment *low, Segment *high, int settle)
{
    int place;
    for EACH_BUCKET (bucket, from) {
        fetch_ahead(bucket, behind);
        for EACH_PLACE (place, places_taken(bucket)) {
            Entry *entry = bucket->entry[place];
            size_t size = entry_size(entry);
            uint64_t hash = entry_hash(entry);
            if (settle && size <= SETTLED_BYTES)
                entry = heap_settle(entry, size);
            segment_add(hash << from->depth >> 63 ? high : low, hash, entry);
        }
    }
}

#endif
