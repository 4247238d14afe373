#include "node/views/inbox.h"

#include <stdlib.h>
#include <string.h>

#include "node/os/log.h"
#include "protocol/contents/mail.h"

enum { INBOX_MIRROR_COUNT_MAX = 4096 };

/* A mirror that came before its announcement. */
struct inbox_mirror {
    struct node_id writer;
    struct mirror mirror;
};

struct inbox {
    struct runtime *runtime;
    struct inbox_entry *entries; /* ascending by number */
    size_t entry_count;
    size_t entry_room;
    struct inbox_letter *letters;
    size_t letter_count;
    size_t letter_room;
    struct inbox_mirror *mirrors;
    size_t mirror_count;
    struct stored_record_memory *memory;
};

/* Room for one more in an array; NULL: no memory, and the array is as it was. */
static void *inbox_grow(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    size_t more = *room == 0 ? 64 : *room * 2;
    void *bigger = realloc(array, more * size);
    if (bigger != NULL)
        *room = more;
    return bigger;
}

static void inbox_apply(struct inbox_entry *entry, const struct inbox_mirror *mirror)
{
    if (!ID_EQUAL(entry->case_id, mirror->mirror.case_id) ||
        !ID_EQUAL(entry->writer, mirror->writer))
        return;
    if (mirror->mirror.what != MIRROR_EXTENDED)
        entry->mirrored = mirror->mirror.what;
    else if (mirror->mirror.until.ms > entry->deadline.ms)
        entry->deadline = mirror->mirror.until;
}

/* Numbers are given once, so the same number is the same record. */
static bool inbox_has(const struct inbox *inbox, uint64_t number)
{
    size_t i = inbox->entry_count;
    while (i > 0 && inbox->entries[i - 1].number > number)
        i--;
    return i > 0 && inbox->entries[i - 1].number == number;
}

static void inbox_fill(struct inbox_entry *entry, const struct announcement *announcement)
{
    entry->case_id = announcement->case_id;
    entry->deadline = announcement->deadline;
    entry->wanted_count = announcement->wanted_count;
    entry->mode = announcement->mode;
    entry->specialty_size = announcement->specialty.size;
    memcpy(entry->specialty, announcement->specialty.data, announcement->specialty.size);
    entry->language_size = announcement->language.size;
    memcpy(entry->language, announcement->language.data, announcement->language.size);
}

static void inbox_add(struct inbox *inbox, const struct stored_record *stored_record,
                      const struct announcement *announcement)
{
    const struct record_header *header = &stored_record->claim.header;
    if (inbox_has(inbox, stored_record->number))
        return;
    struct inbox_entry *entries =
        inbox_grow(inbox->entries, inbox->entry_count, &inbox->entry_room, sizeof *inbox->entries);
    if (entries == NULL) {
        log_error("inbox-full", log_text("do", "give the machine more memory"));
        return;
    }
    inbox->entries = entries;
    struct inbox_entry entry = {
        .record = stored_record->claim.id,
        .writer = header->stream.writer,
        .scope = header->stream.scope,
        .number = stored_record->number,
        .time = header->time,
        .expires = header->expires,
        .is_directed = header->stream.scope.kind == SCOPE_MAIL,
        .is_own = ID_EQUAL(header->stream.writer, runtime_settings(inbox->runtime)->self)};
    inbox_fill(&entry, announcement);
    for (size_t i = 0; i < inbox->mirror_count; i++)
        inbox_apply(&entry, &inbox->mirrors[i]);
    if (entry.mirrored == MIRROR_ERASED)
        return;
    size_t place = inbox->entry_count++;
    for (; place > 0 && entries[place - 1].number > entry.number; place--)
        entries[place] = entries[place - 1];
    entries[place] = entry;
}

/* Nothing that its requester erased is listed. */
static void inbox_forget_erased(struct inbox *inbox)
{
    size_t kept = 0;
    for (size_t i = 0; i < inbox->entry_count; i++) {
        if (inbox->entries[i].mirrored != MIRROR_ERASED)
            inbox->entries[kept++] = inbox->entries[i];
    }
    inbox->entry_count = kept;
}

static void inbox_take_mirror(struct inbox *inbox, const struct stored_record *stored_record)
{
    struct inbox_mirror mirror = {.writer = stored_record->claim.header.stream.writer};
    if (!stored_record_content(stored_record, KIND_MIRROR, &mirror_table, &mirror.mirror))
        return;
    for (size_t i = 0; i < inbox->entry_count; i++)
        inbox_apply(&inbox->entries[i], &mirror);
    inbox_forget_erased(inbox);
    if (inbox->mirrors == NULL)
        inbox->mirrors = calloc(INBOX_MIRROR_COUNT_MAX, sizeof *inbox->mirrors);
    if (inbox->mirrors != NULL)
        inbox->mirrors[inbox->mirror_count++ % INBOX_MIRROR_COUNT_MAX] = mirror;
    if (inbox->mirror_count > INBOX_MIRROR_COUNT_MAX)
        inbox->mirror_count = INBOX_MIRROR_COUNT_MAX;
}

static void inbox_take_letter(struct inbox *inbox, const struct stored_record *stored_record)
{
    struct mail_join join;
    struct mail_decline decline;
    struct inbox_letter letter = {.record = stored_record->claim.id,
                                  .writer = stored_record->claim.header.stream.writer,
                                  .clinician = stored_record->statement.author.cert_id,
                                  .kind = stored_record->statement.kind,
                                  .time = stored_record->claim.header.time};
    if (stored_record_content(stored_record, KIND_JOIN, &mail_join_table, &join)) {
        letter.case_id = join.case_id;
        letter.about = join.announcement;
    } else if (stored_record_content(stored_record, KIND_MAIL_DECLINE, &mail_decline_table,
                                     &decline)) {
        letter.case_id = decline.case_id;
        letter.about = decline.announcement;
    } else {
        return;
    }
    for (size_t i = 0; i < inbox->letter_count; i++) {
        if (ID_EQUAL(inbox->letters[i].record, letter.record))
            return;
    }
    struct inbox_letter *letters = inbox_grow(inbox->letters, inbox->letter_count,
                                              &inbox->letter_room, sizeof *inbox->letters);
    if (letters == NULL)
        return;
    inbox->letters = letters;
    letters[inbox->letter_count++] = letter;
}

/* C-42: only the requester of a case can direct it to us. */
static bool inbox_is_directed(const struct stored_record *stored_record,
                              struct announcement *ret_announcement)
{
    struct mail_directed directed;
    const struct record_header *header = &stored_record->claim.header;
    return stored_record_content(stored_record, KIND_DIRECTED, &mail_directed_table, &directed) &&
           announcement_read(directed.announcement, ret_announcement) == OK &&
           case_record_proves(&header->federation, &header->stream.writer, &directed.opening,
                              &ret_announcement->case_id);
}

/* C-65: and only the requester can announce it to a board. */
static bool inbox_is_announced(const struct stored_record *stored_record,
                               struct announcement *ret_announcement)
{
    const struct record_header *header = &stored_record->claim.header;
    struct case_record_opening opening;
    if (!stored_record_content(stored_record, KIND_ANNOUNCEMENT, &announcement_table,
                               ret_announcement))
        return false;
    memcpy(opening.bytes, ret_announcement->opening.bytes, sizeof opening.bytes);
    return case_record_proves(&header->federation, &header->stream.writer, &opening,
                              &ret_announcement->case_id);
}

static bool inbox_on_record(void *arg, const struct stored_record *stored_record)
{
    struct inbox *inbox = arg;
    struct announcement announcement;
    if (inbox_is_announced(stored_record, &announcement) ||
        inbox_is_directed(stored_record, &announcement))
        inbox_add(inbox, stored_record, &announcement);
    else if (stored_record->is_readable && stored_record->statement.kind == KIND_MIRROR)
        inbox_take_mirror(inbox, stored_record);
    else if (stored_record->is_readable)
        inbox_take_letter(inbox, stored_record);
    return true;
}

static void inbox_on_news(void *arg, const struct runtime_news *news)
{
    struct inbox *inbox = arg;
    struct stored_record stored_record;
    bool is_ours = news->kind == KIND_ANNOUNCEMENT || news->kind == KIND_MIRROR ||
                   news->kind == KIND_DIRECTED || news->kind == KIND_JOIN ||
                   news->kind == KIND_MAIL_DECLINE;
    if (is_ours && stored_record_find(runtime_store(inbox->runtime), &news->record, inbox->memory,
                                      &stored_record) == OK)
        (void)inbox_on_record(inbox, &stored_record);
}

err inbox_new(struct runtime *runtime, struct inbox **ret_inbox)
{
    struct inbox *inbox = calloc(1, sizeof *inbox);
    if (inbox == NULL)
        return ERR_NO_MEMORY;
    inbox->runtime = runtime;
    inbox->memory = stored_record_memory_new();
    const struct roster *roster = runtime_roster(runtime);
    const struct settings *settings = roster_settings(roster);
    err failure = inbox->memory == NULL ? ERR_NO_MEMORY : OK;
    for (uint32_t i = 0; failure == OK && settings != NULL && i < settings->board_count; i++) {
        struct scope scope = roster_board_scope(roster, i);
        failure = stored_record_scope(runtime_store(runtime), &scope, 0, inbox_on_record, inbox);
    }
    struct scope mail = scope_mail(&runtime_settings(runtime)->self);
    if (failure == OK)
        failure = stored_record_scope(runtime_store(runtime), &mail, 0, inbox_on_record, inbox);
    if (failure != OK) {
        inbox_free(inbox);
        return failure;
    }
    runtime_listen(runtime, inbox_on_news, inbox);
    *ret_inbox = inbox;
    return OK;
}

void inbox_free(struct inbox *inbox)
{
    if (inbox == NULL)
        return;
    stored_record_memory_free(inbox->memory);
    free(inbox->entries);
    free(inbox->letters);
    free(inbox->mirrors);
    free(inbox);
}

void inbox_scan(const struct inbox *inbox, uint64_t number,
                bool (*on_entry)(void *arg, const struct inbox_entry *entry), void *arg)
{
    for (size_t i = inbox->entry_count; i > 0; i--) {
        const struct inbox_entry *entry = &inbox->entries[i - 1];
        if ((number == 0 || entry->number < number) && !on_entry(arg, entry))
            return;
    }
}

const struct inbox_entry *inbox_find(const struct inbox *inbox, const struct case_id *case_id)
{
    const struct consult *consult = runtime_case(inbox->runtime, case_id);
    const struct inbox_entry *found = NULL;
    for (size_t i = 0; i < inbox->entry_count; i++) {
        const struct inbox_entry *entry = &inbox->entries[i];
        if (!ID_EQUAL(entry->case_id, *case_id))
            continue;
        if (consult != NULL && ID_EQUAL(entry->writer, consult->requester))
            return entry;
        found = found == NULL ? entry : found;
    }
    return found;
}

const struct inbox_letter *inbox_letter(const struct inbox *inbox, const struct case_id *case_id,
                                        size_t n)
{
    for (size_t i = 0; i < inbox->letter_count; i++) {
        if (ID_EQUAL(inbox->letters[i].case_id, *case_id) && n-- == 0)
            return &inbox->letters[i];
    }
    return NULL;
}

const struct inbox_letter *inbox_end_of_access(const struct inbox *inbox,
                                               const struct consult *consult)
{
    for (size_t i = inbox->letter_count; i > 0; i--) {
        const struct inbox_letter *letter = &inbox->letters[i - 1];
        if (letter->kind == KIND_MAIL_DECLINE && ID_EQUAL(letter->case_id, consult->case_id) &&
            ID_EQUAL(letter->writer, consult->requester) && ID_EQUAL(letter->about, consult->open))
            return letter;
    }
    return NULL;
}

bool inbox_is_open(const struct inbox_entry *entry, struct wall now)
{
    return entry->mirrored == MIRROR_NONE && entry->deadline.ms > now.ms &&
           (entry->expires.ms == 0 || entry->expires.ms > now.ms);
}
