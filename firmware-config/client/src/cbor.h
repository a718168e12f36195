/* Writes the CBOR (RFC 8949) that vitals/v1 needs. */
#ifndef CBOR_H
#define CBOR_H

#include "bytes.h"

void cbor_map(struct bytes *out, size_t entries);
void cbor_array(struct bytes *out, size_t items);
void cbor_tag(struct bytes *out, uint64_t tag);
void cbor_int(struct bytes *out, int64_t value);
void cbor_text(struct bytes *out, const char *text);
void cbor_bool(struct bytes *out, bool value);
void cbor_null(struct bytes *out);
void cbor_float(struct bytes *out, float value);
/* A time in milliseconds, always in nine bytes, so that it can be corrected later. Returns where its eight bytes begin. */
size_t cbor_time(struct bytes *out, int64_t unix_ms);
/* A value given in thousandths: an integer, or a decimal fraction with the fewest digits (37.1 = c4 82 20 19 0173). */
void cbor_thousandths(struct bytes *out, int64_t thousandths);
/* Samples as a little-endian int16 array (RFC 8746, tag 77). */
void cbor_samples(struct bytes *out, const int16_t *samples, size_t count);

#endif
