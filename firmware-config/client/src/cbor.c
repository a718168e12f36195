#include "cbor.h"

enum major { UNSIGNED, NEGATIVE, BYTE_STRING, TEXT, ARRAY, MAP, TAG };

static const uint64_t DECIMAL_FRACTION = 4;
static const uint64_t INT16_LITTLE_ENDIAN = 77;

static void head(struct bytes *out, enum major major, uint64_t value)
{
    uint8_t first = (uint8_t)(major << 5);
    if (value < 24) {
        bytes_put_byte(out, first | (uint8_t)value);
    } else if (value <= UINT8_MAX) {
        bytes_put_byte(out, first | 24);
        bytes_put_number(out, value, 1);
    } else if (value <= UINT16_MAX) {
        bytes_put_byte(out, first | 25);
        bytes_put_number(out, value, 2);
    } else if (value <= UINT32_MAX) {
        bytes_put_byte(out, first | 26);
        bytes_put_number(out, value, 4);
    } else {
        bytes_put_byte(out, first | 27);
        bytes_put_number(out, value, 8);
    }
}

void cbor_map(struct bytes *out, size_t entries)
{
    head(out, MAP, entries);
}

void cbor_array(struct bytes *out, size_t items)
{
    head(out, ARRAY, items);
}

void cbor_tag(struct bytes *out, uint64_t tag)
{
    head(out, TAG, tag);
}

void cbor_int(struct bytes *out, int64_t value)
{
    if (value < 0)
        head(out, NEGATIVE, (uint64_t)(-1 - value));
    else
        head(out, UNSIGNED, (uint64_t)value);
}

void cbor_text(struct bytes *out, const char *text)
{
    size_t size = strlen(text);
    head(out, TEXT, size);
    bytes_put(out, text, size);
}

void cbor_bool(struct bytes *out, bool value)
{
    bytes_put_byte(out, value ? 0xf5 : 0xf4);
}

void cbor_null(struct bytes *out)
{
    bytes_put_byte(out, 0xf6);
}

void cbor_float(struct bytes *out, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bytes_put_byte(out, 0xfa);
    bytes_put_number(out, bits, 4);
}

size_t cbor_time(struct bytes *out, int64_t unix_ms)
{
    bytes_put_byte(out, unix_ms < 0 ? 0x3b : 0x1b);
    size_t at = out->used;
    bytes_put_number(out, (uint64_t)(unix_ms < 0 ? -1 - unix_ms : unix_ms), 8);
    return at;
}

void cbor_thousandths(struct bytes *out, int64_t thousandths)
{
    int exponent = -3;
    while (exponent < 0 && thousandths % 10 == 0) {
        thousandths /= 10;
        exponent++;
    }
    if (exponent < 0) {
        cbor_tag(out, DECIMAL_FRACTION);
        cbor_array(out, 2);
        cbor_int(out, exponent);
    }
    cbor_int(out, thousandths);
}

void cbor_samples(struct bytes *out, const int16_t *samples, size_t count)
{
    cbor_tag(out, INT16_LITTLE_ENDIAN);
    head(out, BYTE_STRING, 2 * count);
    for (size_t i = 0; i < count; i++) {
        uint16_t sample = (uint16_t)samples[i];
        bytes_put_byte(out, (uint8_t)sample);
        bytes_put_byte(out, (uint8_t)(sample >> 8));
    }
}
