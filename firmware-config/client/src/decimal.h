/* Decimal numbers without floating point. */
#ifndef DECIMAL_H
#define DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a decimal number (-3, 37.1, 62.5) from the beginning of a text, in thousandths; further digits are cut off. Returns how
   many characters it has, 0 if there is none or its size is beyond 10^12. */
size_t decimal_read(const char *text, size_t size, int64_t *thousandths);

#endif
