/* Pulls values out of JSON text without a copy of it and without memory of its own: the caller knows what it looks for.
 *
 *     struct json json = json_in(text, size);
 *     for (json_open(&json, '{'); json_next(&json, name, sizeof name);)
 *         if (strcmp(name, "port") == 0) json_number(&json, &port); else json_skip(&json, NULL);
 *     if (!json_ended(&json)) ...
 *
 * After the first fault nothing more is read, and json_ended says so. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH 16

struct json {
    const char *at;
    const char *end;
    bool bad;
    /* Whether the next item of the open container is its first. */
    bool first;
};

/* A piece of the text. */
struct json_span {
    const char *at;
    size_t size;
};

struct json json_in(const char *text, size_t size);
/* The first character of the next value: `{ [ " t f n`, a digit or `-`; 0 if there is none. */
char json_peek(struct json *json);
/* Opens an object or array. */
void json_open(struct json *json, char bracket);
/* The name of the next member, cut to its space; false at the end of the object, which is closed. */
bool json_next(struct json *json, char *name, size_t size);
/* Whether another item follows in the array; false at its end, which is closed. */
bool json_item(struct json *json);
/* A text; false, and bad, if it is no text or does not fit. */
bool json_text(struct json *json, char *text, size_t size);
bool json_thousandths(struct json *json, int64_t *thousandths);
/* A whole number. */
bool json_number(struct json *json, int64_t *number);
bool json_bool(struct json *json, bool *value);
/* Passes over any value; says where it stands. */
void json_skip(struct json *json, struct json_span *span);
/* Whether all was read, and well-formed. */
bool json_ended(struct json *json);

#endif
