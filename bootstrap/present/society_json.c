#include "bootstrap/present/society_json.h"

#include <inttypes.h>

static void json_string(FILE *out, struct bytes text)
{
    fputc('"', out);
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void json_begin(struct society_json *json, const char *key)
{
    if (!json->first)
        fputc(',', json->out);
    json->first = false;
    if (key != NULL) {
        json_string(json->out, bytes_of_text(key));
        fputc(':', json->out);
    }
}

void society_json_open(struct society_json *json, const char *key, char bracket)
{
    json_begin(json, key);
    fputc(bracket, json->out);
    json->first = true;
}

void society_json_close(struct society_json *json, char bracket)
{
    fputc(bracket, json->out);
    json->first = false;
}

void society_json_text(struct society_json *json, const char *key, struct bytes text)
{
    json_begin(json, key);
    json_string(json->out, text);
}

void society_json_hex(struct society_json *json, const char *key, struct bytes value)
{
    json_begin(json, key);
    fputc('"', json->out);
    for (size_t i = 0; i < value.size; i++)
        fprintf(json->out, "%02x", value.data[i]);
    fputc('"', json->out);
}

void society_json_number(struct society_json *json, const char *key, uint64_t value)
{
    json_begin(json, key);
    fprintf(json->out, "%" PRIu64, value);
}

void society_json_bool(struct society_json *json, const char *key, bool value)
{
    json_begin(json, key);
    fputs(value ? "true" : "false", json->out);
}
