#include "json.h"

#include <string.h>

#include "decimal.h"

struct json json_in(const char *text, size_t size)
{
    return (struct json){.at = text, .end = text + size};
}

static bool fail(struct json *json)
{
    json->bad = true;
    return false;
}

char json_peek(struct json *json)
{
    while (!json->bad && json->at < json->end && strchr(" \t\r\n", *json->at) != NULL && *json->at != 0)
        json->at++;
    return json->bad || json->at == json->end ? 0 : *json->at;
}

static bool take(struct json *json, char expected)
{
    if (json_peek(json) != expected)
        return fail(json);
    json->at++;
    return true;
}

void json_open(struct json *json, char bracket)
{
    take(json, bracket);
    json->first = true;
}

/* Moves to the next item of an open container; false at its end. */
static bool another(struct json *json, char closing)
{
    bool first = json->first;
    json->first = false;
    if (json_peek(json) == closing) {
        json->at++;
        return false;
    }
    return !json->bad && (first || take(json, ','));
}

bool json_next(struct json *json, char *name, size_t size)
{
    if (!another(json, '}'))
        return false;
    struct json_span span;
    if (json_peek(json) != '"')
        return fail(json);
    json_skip(json, &span);
    if (json->bad || !take(json, ':'))
        return fail(json);
    size_t length = span.size - 2;
    length = length < size ? length : size - 1;
    memcpy(name, span.at + 1, length);
    name[length] = 0;
    return true;
}

bool json_item(struct json *json)
{
    return another(json, ']');
}

/* The character of an escape, or 0. */
static char escaped(char letter)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char *found = letter ? strchr(letters, letter) : NULL;
    return found ? meant[found - letters] : 0;
}

bool json_text(struct json *json, char *text, size_t size)
{
    struct json_span span;
    if (json_peek(json) != '"')
        return fail(json);
    json_skip(json, &span);
    if (json->bad)
        return false;
    size_t used = 0;
    for (size_t i = 1; i + 1 < span.size; i++) {
        char character = span.at[i];
        if (character == '\\')
            character = escaped(span.at[++i]);
        /* Names, addresses and units have no \u; there is nothing to get by reading it. */
        if (character == 0 || used + 1 >= size)
            return fail(json);
        text[used++] = character;
    }
    text[used] = 0;
    return true;
}

bool json_thousandths(struct json *json, int64_t *thousandths)
{
    json_peek(json);
    size_t length = json->bad ? 0 : decimal_read(json->at, (size_t)(json->end - json->at), thousandths);
    if (length == 0)
        return fail(json);
    json->at += length;
    return true;
}

bool json_number(struct json *json, int64_t *number)
{
    int64_t thousandths;
    if (!json_thousandths(json, &thousandths) || thousandths % 1000 != 0)
        return fail(json);
    *number = thousandths / 1000;
    return true;
}

static bool word(struct json *json, const char *expected)
{
    size_t length = strlen(expected);
    if ((size_t)(json->end - json->at) < length || memcmp(json->at, expected, length) != 0)
        return fail(json);
    json->at += length;
    return true;
}

bool json_bool(struct json *json, bool *value)
{
    *value = json_peek(json) == 't';
    return word(json, *value ? "true" : "false");
}

static void skip_text(struct json *json)
{
    json->at++;
    while (json->at < json->end && *json->at != '"') {
        bool escape = *json->at == '\\';
        if ((unsigned char)*json->at < ' ' || (escape && json->end - json->at < 2)) {
            fail(json);
            return;
        }
        json->at += escape ? 2 : 1;
    }
    take(json, '"');
}

static void skip_number(struct json *json)
{
    const char *begin = json->at;
    while (json->at < json->end && *json->at != 0 && strchr("+-.0123456789eE", *json->at) != NULL)
        json->at++;
    if (json->at == begin)
        fail(json);
}

static void skip_scalar(struct json *json)
{
    switch (json_peek(json)) {
    case '"':
        skip_text(json);
        break;
    case 't':
        word(json, "true");
        break;
    case 'f':
        word(json, "false");
        break;
    case 'n':
        word(json, "null");
        break;
    default:
        skip_number(json);
    }
}

void json_skip(struct json *json, struct json_span *span)
{
    char open[JSON_DEPTH];
    size_t depth = 0;
    json_peek(json);
    const char *begin = json->at;
    bool first = json->first;
    do {
        char next = json_peek(json);
        if (next == '{' || next == '[') {
            if (depth == JSON_DEPTH) {
                fail(json);
                break;
            }
            open[depth++] = next;
            json_open(json, next);
        } else {
            skip_scalar(json);
        }
        /* Closes what ends here, and reads up to the next value. */
        while (depth > 0 && !json->bad && !another(json, open[depth - 1] == '{' ? '}' : ']'))
            depth -= !json->bad;
        if (depth > 0 && !json->bad && open[depth - 1] == '{') {
            if (json_peek(json) != '"')
                fail(json);
            else
                skip_text(json);
            take(json, ':');
        }
    } while (depth > 0 && !json->bad);
    json->first = first;
    if (span != NULL)
        *span = (struct json_span){begin, json->bad ? 0 : (size_t)(json->at - begin)};
}

bool json_ended(struct json *json)
{
    return json_peek(json) == 0 && !json->bad && json->at == json->end;
}
