/* Store and forward: the messages of QoS 1 that the broker has not confirmed, oldest first, in memory that may outlive a restart.
 *
 * A message stays until its PUBACK. Many may be underway at once. When the ring is full the oldest go, counted; the hole in their
 * numbers shows what is missing. An entry counts from the moment its end is noted, in one store, so a restart at any instant finds
 * whole entries only; what a power cut has torn in flash fails its checksum and is dropped with what follows it. */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_MESSAGE 3072
/* Bytes that the ring needs beside the messages, once and for each. */
#define RING_HEADER 64
#define RING_ENTRY 16
/* Packet identifiers are 1 to this; 65535 is free for subscriptions. */
#define RING_IDS 65534

struct ring {
    struct ring_header *header;
    uint8_t *space;
    /* The first message that was not handed to this connection. */
    uint32_t next;
    unsigned underway;
    /* Kinds of messages that had to go since they were last asked for, a bit for each. */
    unsigned lost_kinds;
};

struct ring_message {
    uint8_t kind;
    /* Packet identifier of MQTT, the same in every repetition. */
    uint16_t id;
    /* It may have reached the broker before. */
    bool again;
    uint16_t size;
    const uint8_t *payload;
};

/* Takes over what is in the memory, or begins anew where there is nothing of use. Returns false if it is too small. */
bool ring_open(struct ring *ring, uint8_t *memory, size_t size);
/* A number that is kept with the ring: which start of the device this is. */
uint32_t ring_boot(const struct ring *ring);
void ring_set_boot(struct ring *ring, uint32_t boot);

/* Adds a message; `time_at` tells which eight bytes are its time, and `time_is_set` whether it is right. */
void ring_add(struct ring *ring, uint8_t kind, const uint8_t *payload, size_t size, size_t time_at, bool time_is_set);
/* Adds to the time of every message whose time is not set. */
void ring_correct_times(struct ring *ring, int64_t by_ms);
/* A message that a former start left behind has no time that could be corrected: it goes as it is. */
void ring_give_up_times(struct ring *ring);

/* The next message to hand to the connection; false if there is none. Its payload holds until the ring is used again. */
bool ring_next(struct ring *ring, struct ring_message *message);
/* It was handed over. */
void ring_sent(struct ring *ring);
/* The broker has it. False for a number that nothing has: its message had to go. */
bool ring_acknowledged(struct ring *ring, uint16_t id);
/* A new connection: what was not confirmed goes again, in order. */
void ring_rewind(struct ring *ring);

bool ring_is_empty(const struct ring *ring);
/* Messages that had to go, over all starts. */
uint32_t ring_lost(const struct ring *ring);

#endif
