/* The table: a directory of segments (extendible hashing).
 *
 * The upper bits of a hash name a place in the directory, and there is the segment of all keys with these bits. A full
 * segment is split in two by one more bit; a directory without that bit doubles first. Two segments with few keys
 * become one again. So no step moves more keys than a segment has, whatever the table's size.
 *
 * Rules kept here:
 * - Keys lie in the order of their hash, before and after every change. So a cursor is the least hash not seen yet.
 * - Nothing is changed before all memory that the change needs is there.
 */

#ifndef GOSSAMER_TABLE_H
#define GOSSAMER_TABLE_H

#include "segment.h"

#define MOST_DEPTH 42

typedef struct {
    PyObject_HEAD
    Segment **directory; /* 1 << depth of them; a segment of less depth stands there several times, side by side */
    Segment *only;       /* the directory of depth 0 */
    Py_ssize_t count;
    Py_ssize_t expiring;
    size_t bytes; /* of entries and segments */
    uint8_t depth;
} Table;

#define DEPTHS (MOST_DEPTH + 1)

/* Behind the places, how many segments there are of each depth. */
static size_t directory_bytes(unsigned depth) { return (sizeof(Segment *) << depth) + DEPTHS * sizeof(uint32_t); }

static uint32_t *depth_counts(Segment **directory, unsigned depth)
{
    return (uint32_t *)(directory + ((size_t)1 << depth));
}

/* There are so many more segments of a depth. A directory of depth 0 needs no counts. */
static void depth_count(Table *table, unsigned depth, int more)
{
    if (table->depth)
        depth_counts(table->directory, table->depth)[depth] += (uint32_t)more;
}

static size_t directory_place(const Table *table, uint64_t hash) { return hash >> 1 >> (63 - table->depth); }

static Segment *segment_of(const Table *table, uint64_t hash) { return table->directory[directory_place(table, hash)]; }

static void table_start(Table *table)
{
    table->directory = &table->only;
    table->only = &no_segment;
}

/* --- the directory */

/* Let the places of keys with the first ``depth`` bits of ``hash`` lead to ``low``, their upper half to ``high``. */
static void directory_set(Table *table, uint64_t hash, unsigned depth, Segment *low, Segment *high)
{
    size_t span = (size_t)1 << (table->depth - depth);
    size_t first = directory_place(table, hash) & ~(span - 1);
    for (size_t i = 0; i < span; i++)
        table->directory[first + i] = i < span / 2 ? low : high;
}

/* Put ``directory`` of ``depth`` in the place of the present one. */
static void directory_replace(Table *table, Segment **directory, unsigned depth)
{
    uint32_t only[DEPTHS] = {1}, *counts = table->depth ? depth_counts(table->directory, table->depth) : only;
    if (depth)
        memcpy(depth_counts(directory, depth), counts, sizeof only);
    if (table->depth)
        heap_give_back(table->directory, directory_bytes(table->depth));
    table->directory = directory;
    table->depth = (uint8_t)depth;
}

/* -1 for want of memory. */
static int directory_double(Table *table)
{
    Segment **wider = heap_take(directory_bytes(table->depth + 1u));
    if (!wider)
        return -1;
    for (size_t i = 0; i < (size_t)2 << table->depth; i++)
        wider[i] = table->directory[i / 2];
    directory_replace(table, wider, table->depth + 1u);
    return 0;
}

/* No segment is as deep as the directory. -1 for want of memory. */
static int directory_halve(Table *table)
{
    Segment **narrower = table->depth > 1 ? heap_take(directory_bytes(table->depth - 1u)) : &table->only;
    if (!narrower)
        return -1;
    for (size_t i = 0; i < (size_t)1 << (table->depth - 1); i++)
        narrower[i] = table->directory[2 * i];
    directory_replace(table, narrower, table->depth - 1u);
    return 0;
}

/* --- growing */

/* The segment of ``hash`` in another size. -1 for want of memory. */
static int segment_resize(Table *table, uint64_t hash, unsigned bits)
{
    Segment *old = segment_of(table, hash), *new = segment_new(old->depth, bits);
    if (!new)
        return -1;
    segment_pour(old, new, new, bits < old->bits);
    directory_set(table, hash, old->depth, new, new);
    table->bytes += segment_cost(new) - segment_cost(old);
    segment_free(old);
    return 0;
}

/* The segment of ``hash`` becomes two. -1 for want of memory. */
static int segment_split(Table *table, uint64_t hash)
{
    Segment *old = segment_of(table, hash);
    if (old->depth == MOST_DEPTH || (old->depth == table->depth && directory_double(table) < 0))
        return -1;
    Segment *low = segment_new(old->depth + 1u, old->bits);
    Segment *high = low ? segment_new(old->depth + 1u, old->bits) : NULL;
    if (!high) {
        if (low)
            segment_free(low);
        return -1;
    }
    segment_pour(old, low, high, 0);
    directory_set(table, hash, old->depth, low, high);
    depth_count(table, old->depth, -1);
    depth_count(table, low->depth, 2);
    table->bytes += segment_cost(low) + segment_cost(high) - segment_cost(old);
    segment_free(old);
    return 0;
}

/* See to it that one more key with ``hash`` has room. -1 for want of memory. */
static int table_make_room(Table *table, uint64_t hash)
{
    for (;;) {
        const Segment *segment = segment_of(table, hash);
        if (segment->count < segment->room)
            return 0;
        int failed = segment == &no_segment      ? segment_resize(table, hash, 0)
                     : segment->bits < MOST_BITS ? segment_resize(table, hash, segment->bits + 1u)
                                                 : segment_split(table, hash);
        if (failed)
            return -1;
    }
}

/* --- shrinking */

/* Two halves become one again. 0 for want of memory: then they stay as they are. */
static int segments_merge(Table *table, uint64_t hash, Segment *one, Segment *other)
{
    Segment *both = segment_new(one->depth - 1u, MOST_BITS - 1);
    if (!both)
        return 0;
    segment_pour(one, both, both, 1);
    segment_pour(other, both, both, 1);
    directory_set(table, hash, both->depth, both, both);
    depth_count(table, one->depth, -2);
    depth_count(table, both->depth, 1);
    table->bytes += segment_cost(both) - segment_cost(one) - segment_cost(other);
    segment_free(one);
    segment_free(other);
    while (table->depth && !depth_counts(table->directory, table->depth)[table->depth] && directory_halve(table) == 0)
        ;
    return 1;
}

/* Give back some of what is not needed around ``hash``, where a key has gone; 0 if there is nothing (or no memory). */
static int table_shrink(Table *table, uint64_t hash)
{
    Segment *segment = segment_of(table, hash);
    if (segment->depth) {
        Segment *buddy = segment_of(table, hash ^ (uint64_t)1 << (64 - segment->depth));
        int few = (segment->count + buddy->count) * 2 < room_of(MOST_BITS - 1);
        return few && buddy->depth == segment->depth && segments_merge(table, hash, segment, buddy);
    }
    if (segment->count)
        return segment->bits && segment->count * 4 < segment->room
               && segment_resize(table, hash, segment->bits - 1u) == 0;
    if (segment == &no_segment || table->depth) /* a directory may be left for want of memory */
        return 0;
    table->bytes -= segment_cost(segment);
    segment_free(segment);
    table_start(table);
    return 1;
}

/* --- entries */

static Bucket *table_find(const Table *table, uint64_t hash, const char *key, size_t size, int *place)
{
    return segment_find(segment_of(table, hash), hash, key, size, place);
}

/* The entry of ``key``, NULL if it is not there. */
static Entry *table_entry(const Table *table, const char *key, size_t size)
{
    int place;
    Bucket *bucket = table_find(table, hash_of(key, size), key, size, &place);
    return bucket ? bucket->entry[place] : NULL;
}

/* Put in an entry whose key is not there. -1 for want of memory. */
static int table_add(Table *table, uint64_t hash, Entry *entry)
{
    if (table_make_room(table, hash) < 0)
        return -1;
    segment_add(segment_of(table, hash), hash, entry);
    table->bytes += entry_cost(entry);
    table->expiring += (entry->flags & EXPIRES) != 0;
    table->count++;
    return 0;
}

/* Take an entry out; it is the caller's. The table may shrink then, by ``table_settle``. */
static Entry *table_take_out(Table *table, uint64_t hash, Bucket *bucket, int place)
{
    Entry *entry = segment_take_out(segment_of(table, hash), hash, bucket, place);
    table->bytes -= entry_cost(entry);
    table->expiring -= (entry->flags & EXPIRES) != 0;
    table->count--;
    return entry;
}

static void table_settle(Table *table, uint64_t hash)
{
    while (table_shrink(table, hash))
        ;
}

/* Put ``entry`` in the place of another with the same key; that one is the caller's. */
static Entry *table_swap(Table *table, uint64_t hash, Bucket *bucket, int place, Entry *entry)
{
    Entry *old = bucket->entry[place];
    int more = ((entry->flags & EXPIRES) != 0) - ((old->flags & EXPIRES) != 0);
    bucket->entry[place] = entry;
    table->bytes += entry_cost(entry) - entry_cost(old);
    table->expiring += more;
    segment_of(table, hash)->expiring += (uint32_t)more;
    return old;
}

/* --- positions: the upper bits of a hash. A cursor is the least position that a walk has not seen yet. */

#define POSITION_BITS (MOST_DEPTH + MOST_BITS)
#define POSITION_SHIFT (64 - POSITION_BITS)
#define POSITION_END ((uint64_t)1 << POSITION_BITS)

static Segment *segment_at(const Table *table, uint64_t position)
{
    return segment_of(table, position << POSITION_SHIFT);
}

/* Of the segment behind this one. */
static uint64_t position_behind(const Segment *segment, uint64_t position)
{
    unsigned shift = POSITION_BITS - segment->depth;
    return ((position >> shift) + 1) << shift;
}

/* The position of the bucket behind the one at ``position``. */
static uint64_t position_of_next(const Segment *segment, uint64_t position)
{
    unsigned shift = POSITION_BITS - segment->depth - segment->bits;
    return ((position >> shift) + 1) << shift;
}

/* The first position of the bucket at ``position``. */
static uint64_t position_of_bucket(const Segment *segment, uint64_t position)
{
    unsigned shift = POSITION_BITS - segment->depth - segment->bits;
    return position >> shift << shift;
}

/* Show ``visit`` all entries whose home is the bucket at ``position``, from there on. Not 0 as soon as it says so. */
static int visit_home(const Segment *segment, uint64_t position, int (*visit)(Entry *, void *), void *context)
{
    uint64_t from = position << POSITION_SHIFT;
    uint32_t mask = mask_of(segment), home = home_of(segment, from);
    for (uint32_t step = 0; step <= mask; step++) {
        const Bucket *bucket = &segment->bucket[(home + step) & mask];
        int place;
        for EACH_PLACE (place, places_taken(bucket)) {
            uint64_t hash = entry_hash(bucket->entry[place]);
            int failed = hash >= from && home_of(segment, hash) == home ? visit(bucket->entry[place], context) : 0;
            if (failed)
                return failed;
        }
        if (!bucket->passed)
            break;
    }
    return 0;
}

#endif
