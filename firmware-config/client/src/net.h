/* The device's one connection: bytes over TCP, or over TLS with the device's certificate (mbedTLS). Nothing here waits. */
#ifndef NET_H
#define NET_H

#include "config.h"

enum net_state { NET_FAILED = -1, NET_PENDING = 0, NET_READY = 1 };

/* Begins a connection; the files of the bundle are read anew each time, so a renewed certificate is used from the next one on. */
bool net_open(const struct config *config);
/* Goes on with a connection that is being made. */
enum net_state net_progress(void);
/* What is possible now: bytes, 0, or -1 if the connection is gone. */
int net_send(const uint8_t *bytes, size_t size);
int net_receive(uint8_t *bytes, size_t size);
void net_close(void);
/* For port_wait: the socket, -1 if there is none, and whether it must be writable before anything can go on. */
int net_socket(void);
bool net_wants_write(void);

#endif
