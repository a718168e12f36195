#include "firmware.h"

#include <string.h>

static bool is_hexadecimal(const char *text, size_t digits)
{
    return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

const char *firmware_fault(const struct firmware *notice)
{
    if (notice->version[0] == 0)
        return "no version";
    if (notice->size <= 0)
        return "size: expected bytes";
    if (!is_hexadecimal(notice->sha256, 64))
        return "sha256: expected 64 hexadecimal digits";
    if (!is_hexadecimal(notice->sig, 128))
        return "sig: expected 128 hexadecimal digits";
    if (strncmp(notice->url, "https://", 8) != 0)
        return "url: expected https://";
    return NULL;
}
