/* The ring against a plain list, full and empty, over restarts, torn and damaged. */
#include "check.h"

#include <string.h>

#include "ring.h"

#define SPACE 16384
static _Alignas(16) uint8_t memory[SPACE];
static struct ring ring;

static void begin(void)
{
    memset(memory, 0, sizeof memory);
    CHECK(ring_open(&ring, memory, sizeof memory));
}

/* A message that tells which one it is, with its time behind that. */
static size_t size_of(uint32_t number)
{
    return 12 + number % 180;
}

static void add(uint32_t number)
{
    uint8_t payload[200] = {0};
    memcpy(payload, &number, sizeof number);
    ring_add(&ring, (uint8_t)(number % 5), payload, size_of(number), 4, true);
}

static uint32_t number_of(const struct ring_message *message)
{
    uint32_t number;
    memcpy(&number, message->payload, sizeof number);
    CHECK(message->kind == number % 5 && message->size == size_of(number));
    return number;
}

static void messages_go_in_order_and_stay_until_they_are_confirmed(void)
{
    struct ring_message message;
    uint16_t ids[3];
    begin();
    for (uint32_t i = 0; i < 3; i++)
        add(i);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK(ring_next(&ring, &message) && number_of(&message) == i && !message.again);
        ids[i] = message.id;
        ring_sent(&ring);
    }
    CHECK(!ring_next(&ring, &message) && ring.underway == 3);
    /* Out of order; and one that nobody knows. */
    CHECK(ring_acknowledged(&ring, ids[1]) && !ring_acknowledged(&ring, ids[1]) && !ring_acknowledged(&ring, 999));
    ring_rewind(&ring);
    CHECK(ring_next(&ring, &message) && number_of(&message) == 0 && message.again && message.id == ids[0]);
    ring_sent(&ring);
    CHECK(ring_next(&ring, &message) && number_of(&message) == 2);
    ring_sent(&ring);
    CHECK(ring_acknowledged(&ring, ids[0]) && ring_acknowledged(&ring, ids[2]));
    CHECK(ring_is_empty(&ring) && ring.underway == 0 && ring_lost(&ring) == 0);
}

static void when_full_the_oldest_go_and_are_counted(void)
{
    struct ring_message message;
    begin();
    for (uint32_t i = 0; i < 1000; i++)
        add(i);
    uint32_t kept = 0, first = 0;
    for (; ring_next(&ring, &message); ring_sent(&ring), kept++)
        first = kept == 0 ? number_of(&message) : first;
    CHECK(first + kept == 1000 && ring_lost(&ring) == first && kept > 100);
    CHECK(ring.lost_kinds == 0x1f);
}

static void a_restart_finds_what_was_not_confirmed(void)
{
    struct ring_message message;
    begin();
    ring_set_boot(&ring, 41);
    add(1);
    add(2);
    CHECK(ring_next(&ring, &message));
    ring_sent(&ring);
    CHECK(ring_open(&ring, memory, sizeof memory) && ring_boot(&ring) == 41);
    CHECK(ring_next(&ring, &message) && number_of(&message) == 1 && message.again);
    ring_sent(&ring);
    CHECK(ring_next(&ring, &message) && number_of(&message) == 2 && !message.again);
}

static void more_memory_is_used_once_the_ring_is_empty(void)
{
    struct ring_message message;
    memset(memory, 0, sizeof memory);
    CHECK(ring_open(&ring, memory, SPACE / 2));
    ring_set_boot(&ring, 41);
    for (uint32_t i = 0; i < 200; i++)
        add(i);
    uint32_t lost = ring_lost(&ring);
    CHECK(ring_open(&ring, memory, SPACE) && ring_boot(&ring) == 41);
    CHECK(ring_next(&ring, &message) && number_of(&message) == lost);
    while (ring_next(&ring, &message)) {
        uint16_t id = message.id;
        ring_sent(&ring);
        CHECK(ring_acknowledged(&ring, id));
    }
    CHECK(ring_open(&ring, memory, SPACE) && ring_boot(&ring) == 41);
    for (uint32_t i = 0; i < 120; i++)
        add(i);
    CHECK(ring_lost(&ring) == lost);
}

static void what_is_torn_is_dropped_with_what_follows(void)
{
    struct ring_message message;
    begin();
    for (uint32_t i = 1; i < 4; i++)
        add(i);
    /* One byte of the second message rots. */
    memory[RING_HEADER + RING_ENTRY + size_of(1) + RING_ENTRY + 2] ^= 1;
    CHECK(ring_open(&ring, memory, sizeof memory));
    CHECK(ring_next(&ring, &message) && number_of(&message) == 1);
    ring_sent(&ring);
    CHECK(!ring_next(&ring, &message) && ring_lost(&ring) == 1);
}

/* Random adding, sending, confirming, losing the connection and restarting, beside a list that does the same and is never full. */
static void it_does_what_a_list_does(void)
{
    static struct {
        uint16_t id;
        bool is_sent;
        bool is_confirmed;
    } list[100000];
    uint32_t first = 0, next = 0, end = 0;
    begin();
    for (int round = 0; round < 100000; round++) {
        struct ring_message message;
        uint64_t choice = next_random() % 8;
        if (choice < 3 && end - first < 60) {
            add(end++);
        } else if (choice < 5) {
            while (next < end && list[next].is_confirmed)
                next++;
            CHECK(ring_next(&ring, &message) == (next < end));
            if (next == end)
                continue;
            CHECK(number_of(&message) == next && message.again == list[next].is_sent);
            list[next].id = message.id;
            list[next++].is_sent = true;
            ring_sent(&ring);
        } else if (choice < 7 && next > first) {
            uint32_t some = first + (uint32_t)(next_random() % 2 ? 0 : next_random() % (next - first));
            CHECK(ring_acknowledged(&ring, list[some].id) == !list[some].is_confirmed);
            list[some].is_confirmed = true;
            while (first < next && list[first].is_confirmed)
                first++;
            CHECK(ring_is_empty(&ring) == (first == end));
        } else if (next_random() % 16 == 0) {
            if (next_random() % 2)
                CHECK(ring_open(&ring, memory, sizeof memory));
            ring_rewind(&ring);
            next = first;
        }
    }
    CHECK(end > 10000 && ring_lost(&ring) == 0);
}

/* Memory that holds anything: the ring opens, and gives whole messages or none. */
static void any_memory_is_survived(void)
{
    struct ring_message message;
    for (int round = 0; round < 3000; round++) {
        begin();
        for (uint32_t i = 0; i < 100; i++)
            add(i);
        for (uint64_t damages = next_random() % 20; damages > 0; damages--)
            memory[next_random() % (next_random() % 2 ? RING_HEADER : SPACE)] = (uint8_t)next_random();
        CHECK(ring_open(&ring, memory, sizeof memory));
        for (int i = 0; i < 300 && ring_next(&ring, &message); i++)
            ring_sent(&ring);
        for (uint32_t i = 0; i < 200; i++)
            add(i);
        CHECK(ring_next(&ring, &message));
    }
}

void test_ring(void)
{
    messages_go_in_order_and_stay_until_they_are_confirmed();
    when_full_the_oldest_go_and_are_counted();
    a_restart_finds_what_was_not_confirmed();
    more_memory_is_used_once_the_ring_is_empty();
    what_is_torn_is_dropped_with_what_follows();
    it_does_what_a_list_does();
    any_memory_is_survived();
}
