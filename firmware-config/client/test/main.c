#include "check.h"

#include <stdarg.h>
#include <string.h>

#include "port.h"

int64_t fake_monotonic_ms, fake_unix_ms;

uint64_t next_random(void)
{
    static uint64_t state = 0x5eed5eed5eed5eed;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

int64_t port_monotonic_ms(void)
{
    return fake_monotonic_ms;
}

int64_t port_unix_ms(void)
{
    return fake_unix_ms;
}

void port_random(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)next_random();
}

void port_log(const char *format, ...)
{
    /* Formatted, so that the sanitizers see what is given. */
    char line[512];
    va_list values;
    va_start(values, format);
    vsnprintf(line, sizeof line, format, values);
    va_end(values);
}

long port_read_file(const char *path, char *text, size_t size)
{
    (void)path, (void)text, (void)size;
    return -1;
}

bool port_line(char *line, size_t size)
{
    (void)line, (void)size;
    return false;
}

int main(void)
{
    test_payloads();
    test_mqtt();
    test_json();
    test_ring();
    test_settings();
    test_device();
    puts("unit tests of the client: passed");
    return 0;
}
