#include "decimal.h"

static const int64_t LARGEST = 1000000000000;

static bool is_digit(const char *text, size_t size, size_t at)
{
    return at < size && text[at] >= '0' && text[at] <= '9';
}

size_t decimal_read(const char *text, size_t size, int64_t *thousandths)
{
    size_t at = size > 0 && text[0] == '-';
    int64_t sign = at ? -1 : 1, number = 0;
    if (!is_digit(text, size, at))
        return 0;
    for (; is_digit(text, size, at); at++) {
        number = 10 * number + (text[at] - '0');
        if (number > LARGEST)
            return 0;
    }
    number *= 1000;
    if (at < size && text[at] == '.' && is_digit(text, size, at + 1)) {
        at++;
        for (int64_t unit = 100; is_digit(text, size, at); at++, unit /= 10)
            number += unit * (text[at] - '0');
    }
    *thousandths = sign * number;
    return at;
}
