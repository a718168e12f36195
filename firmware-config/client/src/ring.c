#include "ring.h"

#include <stdatomic.h>
#include <string.h>

#include "vitals.h"

static const uint32_t MAGIC = 0x57524e31; /* WRN1 */

struct ring_header {
    uint32_t magic;
    uint32_t capacity;
    uint32_t boot;
    uint32_t lost;
    /* Bytes ever taken out and put in: each is changed in one store. */
    _Atomic uint64_t head;
    _Atomic uint64_t tail;
    uint32_t next_id;
};
_Static_assert(sizeof(struct ring_header) <= RING_HEADER, "the header has room");

/* Room for two messages at least. */
#define LEAST_CAPACITY (2 * (RING_ENTRY + RING_MESSAGE))

enum flag { SENT = 1, CONFIRMED = 2 };

/* Before each payload. */
struct entry {
    uint32_t checksum;
    uint16_t size;
    uint16_t id;
    uint8_t kind;
    uint8_t flags;
    /* Where the time is that must be corrected; 0 for none. */
    uint16_t time_at;
    uint8_t unused[4];
};
_Static_assert(sizeof(struct entry) == RING_ENTRY, "an entry is what the ring was sized for");

/* One message at a time is looked at, whole. */
static uint8_t scratch[RING_MESSAGE];

static void copy_out(const struct ring *ring, uint64_t from, void *to, size_t size)
{
    size_t begin = (size_t)(from % ring->header->capacity), first = ring->header->capacity - begin;
    first = first < size ? first : size;
    memcpy(to, ring->space + begin, first);
    memcpy((uint8_t *)to + first, ring->space, size - first);
}

static void copy_in(struct ring *ring, uint64_t to, const void *from, size_t size)
{
    size_t begin = (size_t)(to % ring->header->capacity), first = ring->header->capacity - begin;
    first = first < size ? first : size;
    memcpy(ring->space + begin, from, first);
    memcpy(ring->space, (const uint8_t *)from + first, size - first);
}

static uint64_t head_of(const struct ring *ring)
{
    return atomic_load(&ring->header->head);
}

static uint64_t tail_of(const struct ring *ring)
{
    return atomic_load(&ring->header->tail);
}

/* FNV-1a over what never changes but by ring_correct_times. */
static uint32_t checksum(const struct entry *entry, const uint8_t *payload)
{
    uint32_t sum = 2166136261U ^ entry->kind ^ (uint32_t)entry->id << 8;
    for (size_t i = 0; i < entry->size; i++)
        sum = (sum ^ payload[i]) * 16777619U;
    return sum;
}

/* The entry that begins there, its payload in scratch; false if it is torn. */
static bool look(const struct ring *ring, uint64_t at, struct entry *entry)
{
    uint64_t end = tail_of(ring);
    if (end - at < sizeof *entry)
        return false;
    copy_out(ring, at, entry, sizeof *entry);
    if (entry->size > RING_MESSAGE || end - at < sizeof *entry + entry->size || entry->time_at + 8U > RING_MESSAGE)
        return false;
    copy_out(ring, at + sizeof *entry, scratch, entry->size);
    return entry->checksum == checksum(entry, scratch);
}

static uint64_t after(uint64_t at, const struct entry *entry)
{
    return at + sizeof *entry + entry->size;
}

/* Walks to the last whole entry and lets go what is behind it. */
static void mend(struct ring *ring)
{
    struct entry entry;
    uint64_t at = head_of(ring);
    while (at != tail_of(ring) && look(ring, at, &entry))
        at = after(at, &entry);
    if (at != tail_of(ring)) {
        ring->header->lost++;
        atomic_store(&ring->header->tail, at);
    }
}

/* Whether a ring of ours lies in memory of this capacity. */
static bool is_ours(const struct ring *ring, uint32_t capacity)
{
    const struct ring_header *header = ring->header;
    return header->magic == MAGIC && header->capacity >= LEAST_CAPACITY && header->capacity <= capacity &&
           tail_of(ring) - head_of(ring) <= header->capacity;
}

bool ring_open(struct ring *ring, uint8_t *memory, size_t size)
{
    if (size < RING_HEADER + LEAST_CAPACITY || size - RING_HEADER > UINT32_MAX)
        return false;
    *ring = (struct ring){.header = (struct ring_header *)(void *)memory, .space = memory + RING_HEADER};
    struct ring_header *header = ring->header;
    uint32_t capacity = (uint32_t)(size - RING_HEADER);
    if (!is_ours(ring, capacity)) {
        memset(header, 0, sizeof *header);
        header->capacity = capacity;
        header->magic = MAGIC;
    }
    mend(ring);
    /* More memory than there was can only be used while nothing lies in the old order. */
    if (ring_is_empty(ring))
        header->capacity = capacity;
    ring_rewind(ring);
    return true;
}

uint32_t ring_boot(const struct ring *ring)
{
    return ring->header->boot;
}

void ring_set_boot(struct ring *ring, uint32_t boot)
{
    ring->header->boot = boot;
}

static void drop_oldest(struct ring *ring)
{
    struct entry entry;
    uint64_t head = head_of(ring);
    if (!look(ring, head, &entry)) {
        /* Memory that changed under our hands: nothing in it can be trusted. */
        atomic_store(&ring->header->head, tail_of(ring));
        ring->header->lost++;
        ring_rewind(ring);
        return;
    }
    if ((entry.flags & CONFIRMED) == 0) {
        ring->header->lost++;
        ring->lost_kinds |= 1U << entry.kind;
        ring->underway -= head < ring->next;
    }
    if (ring->next == head)
        ring->next = after(head, &entry);
    atomic_store(&ring->header->head, after(head, &entry));
}

void ring_add(struct ring *ring, uint8_t kind, const uint8_t *payload, size_t size, size_t time_at)
{
    if (size > RING_MESSAGE) {
        ring->header->lost++;
        return;
    }
    uint64_t tail = tail_of(ring), end = tail + sizeof(struct entry) + size;
    while (end - head_of(ring) > ring->header->capacity)
        drop_oldest(ring);
    ring->header->next_id = ring->header->next_id % RING_IDS + 1;
    struct entry entry = {
        .size = (uint16_t)size,
        .id = (uint16_t)ring->header->next_id,
        .kind = kind,
        .time_at = (uint16_t)time_at,
    };
    entry.checksum = checksum(&entry, payload);
    copy_in(ring, tail, &entry, sizeof entry);
    copy_in(ring, tail + sizeof entry, payload, size);
    atomic_store(&ring->header->tail, end);
}

static void for_each_unset_time(struct ring *ring, const int64_t *by_ms)
{
    struct entry entry;
    for (uint64_t at = head_of(ring); at != tail_of(ring) && look(ring, at, &entry); at = after(at, &entry)) {
        if (entry.time_at == 0 || entry.time_at + 8U > entry.size)
            continue;
        if (by_ms != NULL) {
            vitals_shift_time(scratch + entry.time_at, *by_ms);
            copy_in(ring, at + sizeof entry, scratch, entry.size);
            entry.checksum = checksum(&entry, scratch);
        }
        entry.time_at = 0;
        copy_in(ring, at, &entry, sizeof entry);
    }
}

void ring_correct_times(struct ring *ring, int64_t by_ms)
{
    for_each_unset_time(ring, &by_ms);
}

void ring_give_up_times(struct ring *ring)
{
    for_each_unset_time(ring, NULL);
}

bool ring_next(struct ring *ring, struct ring_message *message)
{
    struct entry entry;
    while (ring->next != tail_of(ring) && look(ring, ring->next, &entry)) {
        if ((entry.flags & CONFIRMED) == 0) {
            *message = (struct ring_message){
                .kind = entry.kind,
                .id = entry.id,
                .again = entry.flags & SENT,
                .size = entry.size,
                .payload = scratch,
            };
            return true;
        }
        ring->next = after(ring->next, &entry);
    }
    return false;
}

static void set_flag(struct ring *ring, uint64_t at, struct entry *entry, enum flag flag)
{
    entry->flags |= (uint8_t)flag;
    copy_in(ring, at, entry, sizeof *entry);
}

void ring_sent(struct ring *ring)
{
    struct entry entry;
    if (ring->next == tail_of(ring) || !look(ring, ring->next, &entry))
        return;
    set_flag(ring, ring->next, &entry, SENT);
    ring->next = after(ring->next, &entry);
    ring->underway++;
}

bool ring_acknowledged(struct ring *ring, uint16_t id)
{
    struct entry entry;
    bool found = false;
    for (uint64_t at = head_of(ring); at < ring->next && look(ring, at, &entry); at = after(at, &entry)) {
        if (entry.id != id || (entry.flags & CONFIRMED))
            continue;
        set_flag(ring, at, &entry, CONFIRMED);
        ring->underway--;
        found = true;
        break;
    }
    while (head_of(ring) < ring->next && look(ring, head_of(ring), &entry) && (entry.flags & CONFIRMED))
        atomic_store(&ring->header->head, after(head_of(ring), &entry));
    return found;
}

void ring_rewind(struct ring *ring)
{
    ring->next = head_of(ring);
    ring->underway = 0;
}

bool ring_is_empty(const struct ring *ring)
{
    return head_of(ring) == tail_of(ring);
}

uint32_t ring_lost(const struct ring *ring)
{
    return ring->header->lost;
}
