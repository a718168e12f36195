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
    /* Where the oldest message begins and the newest ends, counted to twice the capacity, so that empty and full differ. Each is
       changed in one store, on every processor. */
    _Atomic uint32_t head;
    _Atomic uint32_t tail;
    uint32_t next_id;
};
_Static_assert(sizeof(struct ring_header) <= RING_HEADER, "the header has room");

/* Room for two messages at least. */
#define LEAST_CAPACITY (2 * (RING_ENTRY + RING_MESSAGE))

enum flag { SENT = 1, CONFIRMED = 2, TIME_UNSET = 4 };

/* Before each payload. */
struct entry {
    uint32_t checksum;
    uint16_t size;
    uint16_t id;
    uint8_t kind;
    uint8_t flags;
    /* Where its time is, eight bytes. */
    uint16_t time_at;
    uint8_t unused[4];
};
_Static_assert(sizeof(struct entry) == RING_ENTRY, "an entry is what the ring was sized for");

/* One message at a time is looked at, whole. */
static uint8_t scratch[RING_MESSAGE];

static uint32_t moved(const struct ring *ring, uint32_t at, size_t by)
{
    return (uint32_t)((at + (uint64_t)by) % (2 * (uint64_t)ring->header->capacity));
}

static uint32_t distance(const struct ring *ring, uint32_t from, uint32_t to)
{
    return to >= from ? to - from : to + 2 * ring->header->capacity - from;
}

static void copy_out(const struct ring *ring, uint32_t from, void *to, size_t size)
{
    size_t begin = from % ring->header->capacity, first = ring->header->capacity - begin;
    first = first < size ? first : size;
    memcpy(to, ring->space + begin, first);
    memcpy((uint8_t *)to + first, ring->space, size - first);
}

static void copy_in(struct ring *ring, uint32_t to, const void *from, size_t size)
{
    size_t begin = to % ring->header->capacity, first = ring->header->capacity - begin;
    first = first < size ? first : size;
    memcpy(ring->space + begin, from, first);
    memcpy(ring->space, (const uint8_t *)from + first, size - first);
}

static uint32_t head_of(const struct ring *ring)
{
    return atomic_load(&ring->header->head);
}

static uint32_t tail_of(const struct ring *ring)
{
    return atomic_load(&ring->header->tail);
}

/* FNV-1a over what never changes: not the flags, and not the time, which may be put right later. */
static uint32_t checksum(const struct entry *entry, const uint8_t *payload)
{
    uint32_t sum = 2166136261U ^ entry->kind ^ (uint32_t)entry->id << 8 ^ (uint32_t)entry->time_at << 16;
    for (size_t i = 0; i < entry->size; i++)
        if (i < entry->time_at || i >= entry->time_at + 8U)
            sum = (sum ^ payload[i]) * 16777619U;
    return sum;
}

/* The entry that begins there, its payload in scratch; false if it is torn. */
static bool look(const struct ring *ring, uint32_t at, struct entry *entry)
{
    uint32_t rest = distance(ring, at, tail_of(ring));
    if (rest < sizeof *entry)
        return false;
    copy_out(ring, at, entry, sizeof *entry);
    if (entry->size > RING_MESSAGE || rest < sizeof *entry + entry->size || entry->time_at + 8U > entry->size)
        return false;
    copy_out(ring, moved(ring, at, sizeof *entry), scratch, entry->size);
    return entry->checksum == checksum(entry, scratch);
}

static uint32_t after(const struct ring *ring, uint32_t at, const struct entry *entry)
{
    return moved(ring, at, sizeof *entry + entry->size);
}

/* Walks to the last whole entry and lets go what is behind it. */
static void mend(struct ring *ring)
{
    struct entry entry;
    uint32_t at = head_of(ring);
    while (at != tail_of(ring) && look(ring, at, &entry))
        at = after(ring, at, &entry);
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
           head_of(ring) < 2 * header->capacity && tail_of(ring) < 2 * header->capacity &&
           distance(ring, head_of(ring), tail_of(ring)) <= header->capacity;
}

bool ring_open(struct ring *ring, uint8_t *memory, size_t size)
{
    if (size < RING_HEADER + LEAST_CAPACITY || size - RING_HEADER > UINT32_MAX / 2)
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
    uint32_t head = head_of(ring);
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
        ring->underway -= head != ring->next;
    }
    if (ring->next == head)
        ring->next = after(ring, head, &entry);
    atomic_store(&ring->header->head, after(ring, head, &entry));
}

void ring_add(struct ring *ring, uint8_t kind, const uint8_t *payload, size_t size, size_t time_at, bool time_is_set)
{
    if (size > RING_MESSAGE || time_at + 8 > size) {
        ring->header->lost++;
        return;
    }
    uint32_t tail = tail_of(ring);
    while (distance(ring, head_of(ring), tail) + sizeof(struct entry) + size > ring->header->capacity)
        drop_oldest(ring);
    ring->header->next_id = ring->header->next_id % RING_IDS + 1;
    struct entry entry = {
        .size = (uint16_t)size,
        .id = (uint16_t)ring->header->next_id,
        .kind = kind,
        .flags = time_is_set ? 0 : TIME_UNSET,
        .time_at = (uint16_t)time_at,
    };
    entry.checksum = checksum(&entry, payload);
    copy_in(ring, tail, &entry, sizeof entry);
    copy_in(ring, moved(ring, tail, sizeof entry), payload, size);
    atomic_store(&ring->header->tail, after(ring, tail, &entry));
}

static void for_each_unset_time(struct ring *ring, const int64_t *by_ms)
{
    struct entry entry;
    for (uint32_t at = head_of(ring); at != tail_of(ring) && look(ring, at, &entry); at = after(ring, at, &entry)) {
        if ((entry.flags & TIME_UNSET) == 0)
            continue;
        uint8_t *time = scratch + entry.time_at;
        if (by_ms != NULL) {
            vitals_shift_time(time, *by_ms);
            copy_in(ring, moved(ring, at, sizeof entry + entry.time_at), time, 8);
        }
        entry.flags &= (uint8_t)~TIME_UNSET;
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
        ring->next = after(ring, ring->next, &entry);
    }
    return false;
}

static void set_flag(struct ring *ring, uint32_t at, struct entry *entry, enum flag flag)
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
    ring->next = after(ring, ring->next, &entry);
    ring->underway++;
}

bool ring_acknowledged(struct ring *ring, uint16_t id)
{
    struct entry entry;
    bool found = false;
    for (uint32_t at = head_of(ring); at != ring->next && look(ring, at, &entry); at = after(ring, at, &entry)) {
        if (entry.id != id || (entry.flags & CONFIRMED))
            continue;
        set_flag(ring, at, &entry, CONFIRMED);
        ring->underway--;
        found = true;
        break;
    }
    while (head_of(ring) != ring->next && look(ring, head_of(ring), &entry) && (entry.flags & CONFIRMED))
        atomic_store(&ring->header->head, after(ring, head_of(ring), &entry));
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
