/* A notice that a firmware may be fetched. */
#ifndef FIRMWARE_H
#define FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIRMWARE_URL 256

struct firmware {
    char version[65];
    int64_t size;
    char sha256[65];
    char sig[129];
    char url[FIRMWARE_URL];
};

/* What is wrong with the form of a notice; NULL if nothing is. It says nothing about whose signature it is: the 2.28 series of
 * mbedTLS has no Ed25519, so this client cannot verify one and never fetches or installs anything. */
const char *firmware_fault(const struct firmware *notice);

#endif
