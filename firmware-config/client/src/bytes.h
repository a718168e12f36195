/* Bytes that are written one after the other into a fixed space. */
#ifndef BYTES_H
#define BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    uint8_t *at;
    size_t size;
    size_t used;
    /* Something did not fit: what is written is not whole. */
    bool full;
};

static inline struct bytes bytes_in(uint8_t *space, size_t size)
{
    return (struct bytes){.at = space, .size = size};
}

static inline void bytes_put(struct bytes *out, const void *more, size_t count)
{
    if (count > out->size - out->used) {
        out->full = true;
        return;
    }
    if (count > 0)
        memcpy(out->at + out->used, more, count);
    out->used += count;
}

static inline void bytes_put_byte(struct bytes *out, uint8_t byte)
{
    bytes_put(out, &byte, 1);
}

/* The lowest `width` bytes of a number, the highest first. */
static inline void bytes_put_number(struct bytes *out, uint64_t number, unsigned width)
{
    while (width-- > 0)
        bytes_put_byte(out, (uint8_t)(number >> (8 * width)));
}

#endif
