#include "node/cli/terminal/term.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utf8proc.h>

#include "node/os/hidden_character.h"

enum { TERM_COLUMNS = 80, TERM_NAME_WIDTH = 16 };

/* ---- text ---- */

char *term_clean(const char *text, bool keep_lines)
{
    size_t size = strlen(text), at = 0, kept = 0;
    char *clean = malloc(size + 1);
    if (clean == NULL)
        abort();
    while (at < size) {
        utf8proc_int32_t code;
        utf8proc_ssize_t taken = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                  (utf8proc_ssize_t)(size - at), &code);
        if (taken <= 0) {
            at++;
            continue;
        }
        bool is_line = code == '\n' && keep_lines;
        if (code == '\t' || (code == '\n' && !keep_lines))
            clean[kept++] = ' ';
        else if (is_line || !hidden_character_is((uint32_t)code)) {
            memcpy(clean + kept, text + at, (size_t)taken);
            kept += (size_t)taken;
        }
        at += (size_t)taken;
    }
    clean[kept] = '\0';
    return clean;
}

/* Columns of the character at `text`, and its bytes. */
static size_t term_step(const char *text, size_t *ret_bytes)
{
    utf8proc_int32_t code;
    utf8proc_ssize_t taken = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &code);
    *ret_bytes = taken <= 0 ? 1 : (size_t)taken;
    int width = taken <= 0 ? 1 : utf8proc_charwidth(code);
    return width < 0 ? 0 : (size_t)width;
}

size_t term_width(const char *text)
{
    size_t width = 0, bytes;
    for (; *text != '\0'; text += bytes)
        width += term_step(text, &bytes);
    return width;
}

size_t term_short(const char *text, size_t width)
{
    char *clean = term_clean(text, false);
    size_t used = 0, bytes;
    bool is_cut = term_width(clean) > width;
    for (const char *c = clean; *c != '\0'; c += bytes) {
        size_t columns = term_step(c, &bytes);
        if (used + columns > width - (is_cut ? 1 : 0))
            break;
        fwrite(c, 1, bytes, stdout);
        used += columns;
    }
    if (is_cut) {
        fputs("…", stdout);
        used++;
    }
    free(clean);
    return used;
}

void term_line(const char *text, size_t width)
{
    for (size_t used = term_short(text, width); used < width; used++)
        putchar(' ');
}

/* Marks that close what stands before them, and so begin no line, where text is written without
 * blanks. */
static bool term_is_closing(const char *text)
{
    static const char *const marks[] = {"、", "。", "，", "．", "；", "：", "！", "？", "）",
                                        "》", "〉", "」", "』", "】", "〕", "”",  "’",  "…"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (strncmp(text, marks[i], strlen(marks[i])) == 0)
            return true;
    }
    return false;
}

/* How many bytes of `line` fit `columns_max` columns, broken at a blank where there is one. Text
 * without blanks, such as Chinese, breaks anywhere. */
static size_t term_fit(const char *line, size_t columns_max)
{
    size_t used = 0, at = 0, blank = 0, bytes;
    while (line[at] != '\0' && line[at] != '\n') {
        size_t columns = term_step(line + at, &bytes);
        if (used + columns > columns_max)
            return blank > 0 ? blank : (at > 0 ? at : bytes);
        if (line[at] == ' ')
            blank = at;
        if (columns == 2 && !term_is_closing(line + at))
            blank = at;
        used += columns;
        at += bytes;
    }
    return at;
}

/* `column`: where the cursor stands; `line_max` 0: as many as it takes. */
static void term_wrapped(FILE *out, const char *text, size_t indent, size_t column, size_t line_max)
{
    char *clean = term_clean(text, true);
    const char *at = clean;
    size_t line_count = 0;
    do {
        bool is_last = ++line_count == line_max;
        size_t size = term_fit(at, TERM_COLUMNS - indent - (is_last ? 4 : 0));
        bool is_cut = is_last && at[size + strspn(at + size, "\n ")] != '\0';
        size_t blanks = size == 0 && !is_cut ? 0 : indent > column ? indent - column : 0;
        fprintf(out, "%*s%.*s%s\n", (int)blanks, "", (int)size, at, is_cut ? " ..." : "");
        column = 0;
        if (is_last)
            break;
        at += size;
        bool is_broken = *at == '\n';
        if (is_broken)
            at++;
        while (!is_broken && *at == ' ')
            at++;
    } while (*at != '\0');
    free(clean);
}

void term_text(const char *text, size_t indent)
{
    term_wrapped(stdout, text, indent, 0, 0);
}

/* For people wrapped; for a log or a program on one line. */
static void term_complaint(const char *text, size_t indent, size_t column)
{
    char *clean = term_clean(text, false);
    if (isatty(STDERR_FILENO))
        term_wrapped(stderr, clean, indent, column, 0);
    else
        fprintf(stderr, "%*s%s\n", (int)(indent - column), "", clean);
    free(clean);
}

void term_problem(const char *format, ...)
{
    static const char who[] = "consilium: ";
    va_list arguments;
    char line[2048];
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    fputs(who, stderr);
    term_complaint(line, sizeof who - 1, sizeof who - 1);
}

void term_error(const json_t *answer)
{
    const char *message = json_string_value(json_object_get(answer, "message"));
    const char *hint = json_string_value(json_object_get(answer, "hint"));
    term_problem("%s",
                 message == NULL ? "the node refused without a reason; see its log" : message);
    if (hint != NULL)
        term_complaint(hint, 2, 0);
}

void term_excerpt(const char *text, size_t indent, size_t line_max)
{
    term_wrapped(stdout, text, indent, 0, line_max);
}

void term_pair(size_t lead_indent, const char *lead, size_t indent, const char *text)
{
    printf("%*s", (int)lead_indent, "");
    size_t column = lead_indent + term_short(lead, indent - lead_indent);
    if (*text == '\0')
        putchar('\n');
    else
        term_wrapped(stdout, text, indent, column, 0);
}

const char *term_size(long long bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    static char text[32];
    double size = (double)bytes;
    size_t unit = 0;
    for (; size >= 1024 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        size /= 1024;
    snprintf(text, sizeof text, "%.*f %s", unit == 0 || size >= 100 ? 0 : 1, size, units[unit]);
    return text;
}

const char *term_count(long long count, const char *word)
{
    static char texts[4][80];
    static size_t next;
    char *text = texts[next++ % 4];
    size_t size = strlen(word);
    bool is_y = size > 1 && word[size - 1] == 'y' && strchr("aeiou", word[size - 2]) == NULL;
    if (count == 1)
        snprintf(text, sizeof texts[0], "1 %s", word);
    else
        snprintf(text, sizeof texts[0], "%lld %.*s%s", count, (int)(is_y ? size - 1 : size), word,
                 is_y ? "ies" : "s");
    return text;
}

const char *term_left(const char *rfc3339)
{
    static char text[32];
    struct tm parts = {.tm_isdst = 0};
    if (sscanf(rfc3339, "%d-%d-%dT%d:%d:%d", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
               &parts.tm_hour, &parts.tm_min, &parts.tm_sec) != 6)
        return "";
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    long long left = (long long)timegm(&parts) - (long long)time(NULL);
    long long days = left / 86400, hours = left / 3600;
    if (left <= 0)
        return "over";
    if (days >= 2)
        snprintf(text, sizeof text, "%lld days left", days);
    else if (hours >= 1)
        snprintf(text, sizeof text, "%s left", term_count(hours, "hour"));
    else
        snprintf(text, sizeof text, "%s left", term_count(left / 60, "minute"));
    return text;
}

const char *term_time(const char *rfc3339)
{
    static char text[20];
    snprintf(text, sizeof text, "%.16s", rfc3339 == NULL ? "" : rfc3339);
    char *t = strchr(text, 'T');
    if (t != NULL)
        *t = ' ';
    return text;
}

/* ---- any JSON ---- */

static void term_at(const json_t *value, const char *name, size_t indent);

static void term_scalar(const json_t *value, char text[static 64])
{
    if (json_is_integer(value))
        snprintf(text, 64, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(text, 64, "%g", json_real_value(value));
    else if (json_is_boolean(value))
        snprintf(text, 64, "%s", json_is_true(value) ? "yes" : "no");
    else
        snprintf(text, 64, "-");
}

static bool term_is_id(const char *text)
{
    size_t size = strlen(text);
    return (size == 32 || size == 64) && strspn(text, "0123456789abcdef") == size;
}

static bool term_is_time(const char *text)
{
    return strlen(text) == 24 && text[4] == '-' && text[10] == 'T' && text[23] == 'Z';
}

static bool term_is_whole(const char *name)
{
    return strcmp(name, "federation") == 0 || strstr(name, "head") != NULL ||
           strcmp(name, "preview") == 0;
}

static void term_string(const char *name, const char *text, size_t indent)
{
    if (term_is_time(text)) {
        printf("%*s%-*s %s UTC\n", (int)indent, "", TERM_NAME_WIDTH, name, term_time(text));
        return;
    }
    if (term_is_id(text) && !term_is_whole(name)) {
        printf("%*s%-*s %.16s\n", (int)indent, "", TERM_NAME_WIDTH, name, text);
        return;
    }
    size_t column = indent + TERM_NAME_WIDTH + 1;
    bool is_short = strchr(text, '\n') == NULL && column + term_width(text) <= TERM_COLUMNS;
    if (is_short) {
        char *clean = term_clean(text, false);
        printf("%*s%-*s %s\n", (int)indent, "", TERM_NAME_WIDTH, name, clean);
        free(clean);
        return;
    }
    printf("%*s%s\n", (int)indent, "", name);
    term_text(text, indent + 4);
}

static void term_object(const json_t *object, size_t indent)
{
    const char *key;
    json_t *value;
    json_t *all = json_incref((json_t *)(uintptr_t)object);
    json_object_foreach(all, key, value)
    {
        char name[64];
        snprintf(name, sizeof name, "%s", key);
        for (char *c = name; *c != '\0'; c++)
            *c = *c == '_' ? ' ' : *c;
        term_at(value, name, indent);
    }
    json_decref(all);
}

static void term_list(const json_t *list, size_t indent)
{
    size_t index;
    json_t *value;
    json_array_foreach(list, index, value)
    {
        if (json_is_object(value) && index > 0)
            putchar('\n');
        if (json_is_object(value))
            term_object(value, indent);
        else
            term_at(value, "-", indent);
    }
}

static void term_at(const json_t *value, const char *name, size_t indent)
{
    char text[64];
    if (json_is_string(value)) {
        term_string(name, json_string_value(value), indent);
    } else if (json_is_object(value)) {
        printf("%*s%s\n", (int)indent, "", name);
        term_object(value, indent + 2);
    } else if (json_is_array(value)) {
        if (json_array_size(value) == 0)
            return;
        printf("%*s%s\n", (int)indent, "", name);
        term_list(value, indent + 2);
    } else if (!json_is_null(value)) {
        term_scalar(value, text);
        printf("%*s%-*s %s\n", (int)indent, "", TERM_NAME_WIDTH, name, text);
    }
}

void term_value(const json_t *value)
{
    if (json_is_object(value))
        term_object(value, 0);
    else if (json_is_array(value))
        term_list(value, 0);
    else
        term_at(value, "", 0);
}

/* What is hidden as an escape: for a program it is the same text. */
static void term_escaped(const char *text)
{
    size_t bytes;
    for (; *text != '\0'; text += bytes) {
        utf8proc_int32_t code = 0;
        utf8proc_ssize_t taken = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &code);
        bytes = taken <= 0 ? 1 : (size_t)taken;
        bool is_hidden = taken > 0 && code >= 0x7f && hidden_character_is((uint32_t)code);
        if (!is_hidden)
            fwrite(text, 1, bytes, stdout);
        else if (code <= 0xffff)
            printf("\\u%04x", (unsigned)code);
        else
            printf("\\u%04x\\u%04x", 0xd800 + (unsigned)((code - 0x10000) >> 10),
                   0xdc00 + (unsigned)((code - 0x10000) & 0x3ff));
    }
}

void term_json(const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);
    if (text == NULL)
        abort();
    term_escaped(text);
    putchar('\n');
    free(text);
}
