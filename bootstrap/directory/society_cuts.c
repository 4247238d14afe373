#include "bootstrap/directory/society_cuts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/directory/society_pending.h"
#include "bootstrap/terminal/terminal.h"
#include "node/os/file.h"

enum { CUTS_REPORT_SIZE_MAX = 16 * 1024 * 1024 };

/* Sorted by stream as it grows. */
struct cuts_list {
    struct cut *cuts; /* owned */
    uint32_t count;
    uint32_t capacity;
};

static int cuts_report_order(const struct stream_id *a, const struct stream_id *b)
{
    uint8_t left[STREAM_ID_SIZE], right[STREAM_ID_SIZE];
    struct buffer left_buffer = buffer_over(left, sizeof left);
    struct buffer right_buffer = buffer_over(right, sizeof right);
    stream_id_write(&left_buffer, a);
    stream_id_write(&right_buffer, b);
    return memcmp(left, right, sizeof left);
}

static bool cuts_report_insert(struct cuts_list *list, uint32_t at, const struct cut *cut)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity * 2 + 64;
        struct cut *more = realloc(list->cuts, capacity * sizeof *more);
        if (more == NULL)
            return terminal_error("%s", err_sentence(ERR_NO_MEMORY)) == 0;
        list->cuts = more;
        list->capacity = capacity;
    }
    memmove(&list->cuts[at + 1], &list->cuts[at], (list->count - at) * sizeof *cut);
    list->cuts[at] = *cut;
    list->count++;
    return true;
}

static bool cuts_report_add(struct cuts_list *list, const struct cut *cut)
{
    uint32_t low = 0, high = list->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = cuts_report_order(&list->cuts[middle].stream, &cut->stream);
        if (order < 0) {
            low = middle + 1;
            continue;
        }
        high = middle;
        if (order > 0)
            continue;
        struct cut *old = &list->cuts[middle];
        if (cut->sequence == old->sequence && !ID_EQUAL(cut->record, old->record))
            return terminal_error("two reports name different records at position %" PRIu64
                                  " of one stream: the member forked that stream; decide which "
                                  "record ends it, and remove the other line from its report",
                                  cut->sequence) == 0;
        if (cut->sequence > old->sequence)
            *old = *cut;
        return true;
    }
    return cuts_report_insert(list, low, cut);
}

static bool cuts_report_parse(const char *line, struct cut *ret_cut)
{
    char stream[2 * STREAM_ID_SIZE + 2], record[2 * HASH_SIZE + 2];
    uint8_t bytes[STREAM_ID_SIZE];
    if (sscanf(line, "%107s %" SCNu64 " %65s", stream, &ret_cut->sequence, record) != 3 ||
        ids_from_hex(stream, bytes, sizeof bytes) != OK ||
        ids_from_hex(record, ret_cut->record.bytes, HASH_SIZE) != OK)
        return false;
    struct reader reader = reader_of((struct bytes){bytes, sizeof bytes});
    return stream_id_read(&reader, &ret_cut->stream) == OK &&
           (ret_cut->sequence == 0) == ID_IS_ZERO(ret_cut->record);
}

static bool cuts_report_take_line(struct cuts_list *list, const char *line,
                                  const struct node_id *writer, bool *ret_read)
{
    struct cut cut;
    *ret_read = true;
    if (line[0] == '\0' || line[0] == '#')
        return true;
    *ret_read = cuts_report_parse(line, &cut);
    if (!*ret_read)
        return false;
    if (!ID_EQUAL(cut.stream.writer, *writer) ||
        (cut.stream.scope.kind != SCOPE_FEDERATION && cut.stream.scope.kind != SCOPE_BOARD))
        return true;
    return cuts_report_add(list, &cut);
}

static bool cuts_read_report(struct cuts_list *list, const char *path, const struct node_id *writer)
{
    uint8_t *data;
    size_t size;
    err failure = file_read(path, CUTS_REPORT_SIZE_MAX, &data, &size);
    if (failure != OK)
        return terminal_error("%s: %s", path, terminal_reason(failure)) == 0;
    char *rest = (char *)data, *line;
    bool taken = true, read = true;
    for (unsigned number = 1; taken && (line = strsep(&rest, "\n")) != NULL; number++) {
        taken = cuts_report_take_line(list, line, writer, &read);
        if (!read)
            terminal_error("%s, line %u is not `STREAM SEQUENCE RECORD`; ask for the report again "
                           "(`consilium report`)",
                           path, number);
    }
    free(data);
    return taken;
}

static bool cuts_report_put(struct society *society, const struct cuts_list *list)
{
    size_t size = (size_t)list->count * CUT_SIZE;
    struct buffer packed = buffer_over(malloc(size + 1), size);
    if (packed.data == NULL)
        return terminal_error("%s", err_sentence(ERR_NO_MEMORY)) == 0;
    for (uint32_t i = 0; i < list->count; i++)
        cuts_write(&packed, &list->cuts[i]);
    bool put = society_pending_put_cuts(society, buffer_bytes(&packed));
    free(packed.data);
    if (put)
        printf("%u stream%s where the reports say.\n", list->count,
               list->count == 1 ? " of this member ends" : "s of this member end");
    return put;
}

bool society_cuts_from_reports(struct society *society, const char *const *paths, uint32_t count,
                               const struct node_id *writer)
{
    struct cuts_list list = {.count = 0};
    bool taken = true;
    for (uint32_t i = 0; taken && i < count; i++)
        taken = cuts_read_report(&list, paths[i], writer);
    if (taken && list.count > 0)
        taken = cuts_report_put(society, &list);
    free(list.cuts);
    return taken;
}
