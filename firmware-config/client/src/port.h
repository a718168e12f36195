/* What a platform gives the client. Everything else is plain C11: to bring it to ESP-IDF or Zephyr, write these functions. */
#ifndef PORT_H
#define PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds since some start; never set back. */
int64_t port_monotonic_ms(void);
/* Milliseconds since 1970-01-01 UTC by the system clock; near 0 while nobody has set it. */
int64_t port_unix_ms(void);
/* Fills with bytes that nobody can foresee. */
void port_random(uint8_t *bytes, size_t size);
/* One line for the maintainer: a sentence, never a value of a patient. */
__attribute__((format(printf, 1, 2))) void port_log(const char *format, ...);

/* Begins a TCP connection without waiting for it (looking up the name may wait). Returns a socket, or -1. */
int port_connect(const char *host, uint16_t port);
/* Whether the connection stands: 1 yes, 0 not yet, -1 it failed. */
int port_connected(int socket);
/* Sends or receives what is possible now. Returns bytes, 0 if nothing is possible, -1 if the connection is gone. */
int port_send(int socket, const uint8_t *bytes, size_t size);
int port_receive(int socket, uint8_t *bytes, size_t size);
void port_close(int socket);
/* Returns when the socket (-1: none) can be read, or written where asked, when there is input, or after this time. */
void port_wait(int socket, bool want_write, int64_t timeout_ms);

/* Reads a whole file and ends it with a zero byte. Returns its size without it; -1 if it is absent or does not fit. */
long port_read_file(const char *path, char *text, size_t size);
/* Memory that outlives a restart, of at least this size: what was there before, then zeroes. NULL if there is none. */
uint8_t *port_store(const char *path, size_t *size);
/* The next line of input without its end; false if there is none now. */
bool port_line(char *line, size_t size);

#endif
