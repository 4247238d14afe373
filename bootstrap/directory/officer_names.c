#include "bootstrap/directory/officer_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/terminal/terminal.h"
#include "node/os/file.h"
#include "protocol/member/member.h"

enum { NAMES_SIZE_MAX = 64 * 1024, NAMES_DIGITS_SHOWN = 16, NAMES_KEY_DIGITS = 2 * KEY_SIZE };

struct names_path {
    char text[PATH_MAX + 16];
};

static struct names_path names_path(const struct society *society)
{
    struct names_path path;
    (void)snprintf(path.text, sizeof path.text, "%s/names", society->path);
    return path;
}

/* The file's text, which the caller frees; empty when there is none. */
static char *names_read(const struct society *society)
{
    struct names_path path = names_path(society);
    uint8_t *data;
    size_t size;
    return file_read(path.text, NAMES_SIZE_MAX, &data, &size) == OK ? (char *)data : strdup("");
}

/* Where the line of this key begins; NULL when there is none. */
static char *names_line(char *text, const struct sign_key *key)
{
    char hex[NAMES_KEY_DIGITS + 1];
    ids_to_hex(ID_BYTES(*key), hex);
    for (char *line = text; line != NULL && *line != '\0';) {
        if (strncmp(line, hex, NAMES_KEY_DIGITS) == 0 && line[NAMES_KEY_DIGITS] == ' ')
            return line;
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    return NULL;
}

void officer_names_note(const struct society *society, const struct sign_key *key, const char *name)
{
    char hex[NAMES_KEY_DIGITS + 1], *all = NULL;
    size_t size = 0;
    char *text = names_read(society);
    FILE *out = text == NULL || name[0] == '\0' ? NULL : open_memstream(&all, &size);
    if (out != NULL) {
        struct names_path path = names_path(society);
        char *line = names_line(text, key);
        const char *rest = line == NULL ? NULL : strchr(line, '\n');
        if (line != NULL)
            *line = '\0';
        ids_to_hex(ID_BYTES(*key), hex);
        (void)fprintf(out, "%s%s %.*s\n%s", text, hex, (int)strcspn(name, "\r\n"), name,
                      rest == NULL ? "" : rest + 1);
        if (fclose(out) != 0 ||
            file_write(path.text, (struct bytes){(uint8_t *)all, size}, 0644) != OK)
            terminal_warning(
                "cannot write %s; officers are shown by their keys instead of their names",
                path.text);
    }
    free(all);
    free(text);
}

void officer_names_find(const struct society *society, const struct sign_key *key,
                        char ret_name[static OFFICER_NAME_SIZE])
{
    char hex[NAMES_KEY_DIGITS + 1];
    char *text = names_read(society);
    char *line = text == NULL ? NULL : names_line(text, key);
    ids_to_hex(ID_BYTES(*key), hex);
    const char *name = line == NULL ? "" : line + NAMES_KEY_DIGITS + 1;
    struct bytes span = {(const uint8_t *)name, strcspn(name, "\n")};
    if (member_name_check(span, OFFICER_NAME_SIZE - 1) != OK)
        (void)snprintf(ret_name, OFFICER_NAME_SIZE, "%.*s...", NAMES_DIGITS_SHOWN, hex);
    else
        (void)snprintf(ret_name, OFFICER_NAME_SIZE, "%.*s", TERMINAL_TEXT(span));
    free(text);
}
