/* Memory for the table: cells of one size in pages of 32 KB, pages in arenas of 2 MB.
 *
 * malloc takes eight bytes more for each piece, and rounds it to sixteen. Here cells are eight bytes apart and have no
 * header: what is known of a page stands at the head of its arena, where the address of a cell leads. An arena is one
 * huge page where the kernel gives those. A page without cells in use goes back to its arena, and its memory to the
 * kernel if enough pages are free already; so does an arena without pages in use.
 *
 * Whoever gives a piece back says its size again. Pieces above a page come from malloc. All of this is called with
 * Python's global lock held.
 */

#ifndef GOSSAMER_HEAP_H
#define GOSSAMER_HEAP_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static size_t heap_bytes;      /* in pieces that are in use, as large as they really are */
static long heap_failing = -1; /* for tests: so many requests are granted, all others refused; -1: none is refused */
static int heap_recovers;      /* for tests: one alone is refused, and then none */

static int heap_refuses(void)
{
    if (heap_failing > 0)
        heap_failing--;
    else if (heap_failing == 0) {
        heap_failing = heap_recovers ? -1 : 0;
        return 1;
    }
    return 0;
}

static void *heap_take(size_t size);
static void heap_give_back(void *piece, size_t size);

/* Move a piece into a new cell; its new place, or the old one for want of memory. */
static void *heap_move(void *piece, size_t size)
{
    void *moved = heap_take(size);
    if (!moved)
        return piece;
    memcpy(moved, piece, size);
    heap_give_back(piece, size);
    return moved;
}

#ifndef GOSSAMER_PLAIN_HEAP

#include <sys/mman.h>
#include <unistd.h>

#define PAGE_BYTES ((size_t)32 << 10)
#define ARENA_BYTES ((size_t)2 << 20)
#define PAGES (ARENA_BYTES / PAGE_BYTES) /* the first one holds the head */
#define SMALL 1024                       /* up to here cells are eight bytes apart, above they are powers of two */
#define CLASSES (SMALL / 8 + 1 + 5)
#define WARM 64 /* free pages that keep their memory, for they are wanted soon again */
#define COLD UINT16_MAX

typedef struct Page {
    struct Page *next, *prev; /* among the pages of its class that have a free cell, or among free pages */
    uint16_t class; /* of a free page: COLD if it has no memory, or anything else */
    uint16_t cell;  /* bytes */
    uint16_t room;  /* cells */
    uint16_t used;  /* cells */
    uint16_t fresh; /* bytes from here on were never given out */
    uint16_t freed; /* the last cell that came back: its place in units of 8 bytes, plus 1. It begins with the next. */
} Page;

typedef struct Arena {
    Page page[PAGES];
    struct Arena *next, *prev;
    size_t used;    /* pages */
    int has_holes;  /* a page went cold since all were in use: the kernel shall not fill it to make a huge page */
} Arena;

static Page *with_room[CLASSES];
static Page *warm_pages, *cold_pages; /* free ones */
static Arena *arenas;
static size_t arena_count;
static size_t idle_arenas; /* no page of theirs is in use */
static size_t warm_count, cold_count;
static int huge_pages;

static Arena *arena_of(const void *piece) { return (Arena *)((uintptr_t)piece & ~(ARENA_BYTES - 1)); }

static Page *page_of(const void *piece)
{
    return &arena_of(piece)->page[((uintptr_t)piece & (ARENA_BYTES - 1)) / PAGE_BYTES];
}

static char *page_start(const Page *page)
{
    Arena *arena = arena_of(page);
    return (char *)arena + (size_t)(page - arena->page) * PAGE_BYTES;
}

static unsigned class_of(size_t size)
{
    if (size <= SMALL)
        return (unsigned)((size + 7) / 8);
    unsigned class = SMALL / 8;
    for (size_t cell = SMALL; cell < size; cell *= 2)
        class++;
    return class;
}

static size_t cell_size(unsigned class)
{
    return class <= SMALL / 8 ? (size_t)class * 8 : (size_t)SMALL << (class - SMALL / 8);
}

#define LIST_ADD(list, item)                                                                                           \
    do {                                                                                                               \
        (item)->prev = NULL;                                                                                           \
        (item)->next = (list);                                                                                         \
        if (list)                                                                                                      \
            (list)->prev = (item);                                                                                     \
        (list) = (item);                                                                                               \
    } while (0)

#define LIST_REMOVE(list, item)                                                                                        \
    do {                                                                                                               \
        if ((item)->prev)                                                                                              \
            (item)->prev->next = (item)->next;                                                                         \
        else                                                                                                           \
            (list) = (item)->next;                                                                                     \
        if ((item)->next)                                                                                              \
            (item)->next->prev = (item)->prev;                                                                         \
    } while (0)

static void arena_advise(Arena *arena)
{
#if defined(MADV_HUGEPAGE) && defined(MADV_NOHUGEPAGE)
    madvise(arena, ARENA_BYTES, huge_pages && !arena->has_holes ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
#else
    (void)arena;
#endif
}

/* -1 for want of memory. The kernel aligns to its own pages only: twice the size holds an arena in any case. */
static int arena_new(void)
{
    char *raw = mmap(NULL, 2 * ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED)
        return -1;
    char *start = (char *)arena_of(raw + ARENA_BYTES - 1);
    if (start > raw)
        munmap(raw, (size_t)(start - raw));
    munmap(start + ARENA_BYTES, (size_t)(raw + ARENA_BYTES - start));
    Arena *arena = (Arena *)start;
    if (huge_pages)
        arena_advise(arena);
    LIST_ADD(arenas, arena);
    for (size_t at = PAGES - 1; at > 0; at--) {
        arena->page[at].class = COLD;
        LIST_ADD(cold_pages, &arena->page[at]);
    }
    cold_count += PAGES - 1;
    arena_count++;
    idle_arenas++;
    return 0;
}

/* Add a page to the free ones. */
static void page_offer(Page *page)
{
    if (page->class == COLD) {
        LIST_ADD(cold_pages, page);
        cold_count++;
    } else {
        LIST_ADD(warm_pages, page);
        warm_count++;
    }
}

/* It is none of the free pages any more. */
static void page_withdraw(Page *page)
{
    if (page->class == COLD) {
        LIST_REMOVE(cold_pages, page);
        cold_count--;
    } else {
        LIST_REMOVE(warm_pages, page);
        warm_count--;
    }
}

static void arena_drop(Arena *arena)
{
    for (size_t at = 1; at < PAGES; at++)
        page_withdraw(&arena->page[at]);
    LIST_REMOVE(arenas, arena);
    munmap(arena, ARENA_BYTES);
    arena_count--;
    idle_arenas--;
}

static Page *page_new(unsigned class)
{
    if (!warm_pages && !cold_pages && arena_new() < 0)
        return NULL;
    Page *page = warm_pages ? warm_pages : cold_pages; /* what is warm costs no fault */
    page_withdraw(page);
    Arena *arena = arena_of(page);
    if (arena->used++ == 0)
        idle_arenas--;
    if (arena->used == PAGES - 1 && arena->has_holes) {
        arena->has_holes = 0;
        arena_advise(arena);
    }
    page->class = (uint16_t)class;
    page->cell = (uint16_t)cell_size(class);
    page->room = (uint16_t)(PAGE_BYTES / page->cell);
    page->used = page->fresh = page->freed = 0;
    LIST_ADD(with_room[class], page);
    return page;
}

/* Where the kernel's pages are larger than these (64 KB on some processors), none can go back without its neighbour. */
static int can_cool(void)
{
    static long kernel_page;
    if (!kernel_page)
        kernel_page = sysconf(_SC_PAGESIZE);
    return kernel_page > 0 && (size_t)kernel_page <= PAGE_BYTES;
}

static void page_cool(Page *page)
{
    Arena *arena = arena_of(page);
    if (!can_cool() || madvise(page_start(page), PAGE_BYTES, MADV_DONTNEED) < 0)
        return;
    page->class = COLD;
    if (!arena->has_holes) {
        arena->has_holes = 1;
        arena_advise(arena);
    }
}

static void page_drop(Page *page)
{
    Arena *arena = arena_of(page);
    LIST_REMOVE(with_room[page->class], page);
    if (warm_count >= WARM)
        page_cool(page);
    page_offer(page);
    if (--arena->used == 0 && idle_arenas++ > 0) /* one is kept, for the next page that is wanted */
        arena_drop(arena);
}

/* NULL for want of memory. */
static void *heap_take(size_t size)
{
    if (heap_refuses())
        return NULL;
    if (size > PAGE_BYTES) {
        void *piece = malloc(size);
        heap_bytes += piece ? size : 0;
        return piece;
    }
    unsigned class = class_of(size);
    Page *page = with_room[class] ? with_room[class] : page_new(class);
    if (!page)
        return NULL;
    char *piece = page_start(page);
    if (page->freed) {
        piece += (size_t)(page->freed - 1) * 8;
        memcpy(&page->freed, piece, sizeof page->freed);
    } else {
        piece += page->fresh;
        page->fresh = (uint16_t)(page->fresh + page->cell);
    }
    if (++page->used == page->room)
        LIST_REMOVE(with_room[class], page);
    heap_bytes += page->cell;
    return piece;
}

static void heap_give_back(void *piece, size_t size)
{
    if (size > PAGE_BYTES) {
        heap_bytes -= size;
        free(piece);
        return;
    }
    Page *page = page_of(piece);
    memcpy(piece, &page->freed, sizeof page->freed);
    page->freed = (uint16_t)((size_t)((char *)piece - page_start(page)) / 8 + 1);
    heap_bytes -= page->cell;
    if (page->used == page->room)
        LIST_ADD(with_room[page->class], page);
    if (--page->used == 0)
        page_drop(page);
}

/* Move a piece of at most a page from a page with few cells in use to one with more, so that the former can go back.
 * Its new place, or the old one. */
static void *heap_settle(void *piece, size_t size)
{
    Page *page = page_of(piece), *fuller = with_room[page->class];
    return fuller && fuller != page && fuller->used >= page->used ? heap_move(piece, size) : piece;
}

/* What a piece of ``size`` bytes really takes. */
static size_t heap_cost(size_t size) { return size > PAGE_BYTES ? size : cell_size(class_of(size)); }

/* Memory of the kernel's, at most. */
static size_t heap_resident(void) { return arena_count * ARENA_BYTES - cold_count * PAGE_BYTES; }

/* For the arenas that are there, too: but the kernel makes huge pages of those by and by, and of new ones at once. */
static void heap_use_huge_pages(int wanted)
{
    huge_pages = wanted;
    for (Arena *arena = arenas; arena; arena = arena->next)
        arena_advise(arena);
}

#else /* for sanitizers, which must see each piece by itself */

static void *heap_take(size_t size)
{
    void *piece = heap_refuses() ? NULL : size % 64 ? malloc(size) : aligned_alloc(64, size);
    heap_bytes += piece ? size : 0;
    return piece;
}

static void heap_give_back(void *piece, size_t size)
{
    heap_bytes -= size;
    free(piece);
}

static void *heap_settle(void *piece, size_t size) { return heap_move(piece, size); }

static size_t heap_cost(size_t size) { return size; }

static size_t heap_resident(void) { return heap_bytes; }

static void heap_use_huge_pages(int wanted) { (void)wanted; }

#endif
#endif
