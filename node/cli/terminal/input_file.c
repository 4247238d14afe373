#include "node/cli/terminal/input_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <utf8proc.h>

#include "node/cli/terminal/term.h"
#include "node/os/file.h"

void input_file_explain(const char *path, size_t size_max, err failure)
{
    struct stat about;
    bool is_folder = failure == ERR_INVALID && stat(path, &about) == 0 && S_ISDIR(about.st_mode);
    if (is_folder)
        term_problem("%s: is a folder; name a file", path);
    else if (failure == ERR_INVALID)
        term_problem("%s: is not a regular file; copy the content to a file and name that", path);
    else if (failure == ERR_NOT_FOUND)
        term_problem("%s: no such file; check the name", path);
    else if (failure == ERR_TOO_LARGE && size_max >= 1024 * 1024)
        term_problem("%s: larger than %zu MiB, which is the most", path, size_max / 1024 / 1024);
    else if (failure == ERR_TOO_LARGE)
        term_problem("%s: larger than %zu KiB, which is the most", path, size_max / 1024);
    else if (failure == ERR_IO && errno == ENAMETOOLONG)
        term_problem("%.40s...: the name of the file is too long; rename the file", path);
    else
        term_problem("%s: %s", path, failure == ERR_IO ? strerror(errno) : err_sentence(failure));
}

bool input_file_read(const char *path, size_t size_max, uint8_t **ret_data, size_t *ret_size)
{
    err failure = file_read(path, size_max, ret_data, ret_size);
    if (failure != OK)
        input_file_explain(path, size_max, failure);
    return failure == OK;
}

static bool input_file_stdin(size_t size_max, uint8_t **ret_data, size_t *ret_size)
{
    uint8_t *data = malloc(size_max + 1);
    if (data == NULL)
        abort();
    *ret_size = fread(data, 1, size_max + 1, stdin);
    if (*ret_size <= size_max && !ferror(stdin)) {
        data[*ret_size] = 0;
        *ret_data = data;
        return true;
    }
    free(data);
    input_file_explain("standard input", size_max, ferror(stdin) ? ERR_IO : ERR_TOO_LARGE);
    return false;
}

bool input_file_is_utf8(const char *text, size_t size)
{
    size_t at = 0;
    while (at < size) {
        utf8proc_int32_t code;
        utf8proc_ssize_t taken = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                  (utf8proc_ssize_t)(size - at), &code);
        if (taken <= 0)
            return false;
        at += (size_t)taken;
    }
    return true;
}

bool input_file_text(const char *path, size_t size_max, char **ret_text, size_t *ret_size)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    uint8_t *data;
    size_t size, kept = 0;
    bool is_stdin = strcmp(path, "-") == 0;
    if (!(is_stdin ? input_file_stdin(size_max, &data, &size)
                   : input_file_read(path, size_max, &data, &size)))
        return false;
    if (!input_file_is_utf8((const char *)data, size)) {
        term_problem("%s: the text is not UTF-8; save the file as UTF-8 and try again",
                     is_stdin ? "standard input" : path);
        free(data);
        return false;
    }
    size_t at = size >= sizeof mark && memcmp(data, mark, sizeof mark) == 0 ? sizeof mark : 0;
    for (; at < size; at++) {
        if (data[at] != '\r' || at + 1 == size || data[at + 1] != '\n')
            data[kept++] = data[at];
    }
    while (kept > 0 && (data[kept - 1] == '\n' || data[kept - 1] == '\r'))
        kept--;
    data[kept] = 0;
    *ret_text = (char *)data;
    *ret_size = kept;
    return true;
}
