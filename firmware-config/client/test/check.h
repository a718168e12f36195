/* Checks of the unit tests, and a port whose clock the tests set. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(what)                                                                                                                \
    do {                                                                                                                           \
        if (!(what)) {                                                                                                             \
            fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, __func__, #what);                                       \
            exit(1);                                                                                                               \
        }                                                                                                                          \
    } while (0)

/* What the port's clocks show. */
extern int64_t fake_monotonic_ms, fake_unix_ms;

/* Numbers that look random and are the same in each run (xorshift64). */
uint64_t next_random(void);

void test_payloads(void);
void test_mqtt(void);
void test_json(void);
void test_ring(void);
void test_device(void);
void test_settings(void);

#endif
