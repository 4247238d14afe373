#include "bootstrap/directory/society_pending.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/directory/member_text.h"
#include "bootstrap/terminal/terminal.h"

enum { PENDING_CUTS_SIZE_MAX = 32 * 1024 / CUT_SIZE * CUT_SIZE, PENDING_ID_DIGITS_MIN = 4 };

#define PENDING_DAY_MS ((uint64_t)24 * 60 * 60 * 1000)

uint64_t society_pending_epoch(const struct society *society)
{
    const struct roster_head *head = roster_current_head(&society->roster);
    return head == NULL ? ROSTER_HEAD_EPOCH_FIRST : head->epoch + 1;
}

struct officers society_pending_officers(const struct society *society)
{
    const struct roster_head *head = roster_current_head(&society->roster);
    const struct chain *chain = &society->roster.chain;
    if (society->pending.head.heal_count > 0) {
        const struct chain_link *common = chain_find(chain, &society->pending.head.previous);
        if (common != NULL)
            return chain->officer_sets[common->officers];
    }
    return head == NULL ? society->pending.head.officers : head->officers;
}

uint32_t society_pending_needed(const struct society *society)
{
    struct officers officers = society_pending_officers(society);
    return society->roster.filled ? officers.threshold : officers.count;
}

bool society_pending_signed_by(const struct society_pending *pending, uint32_t officer)
{
    for (uint32_t i = 0; i < pending->signature_count; i++) {
        if (pending->signatures[i].officer == officer)
            return true;
    }
    return false;
}

void society_pending_heal(struct society *society, const struct roster_split *split)
{
    struct roster_head *head = &society->pending.head;
    struct head_id ours = roster_current_id(&society->roster);
    bool ours_first = memcmp(ours.bytes, split->other.bytes, HASH_SIZE) < 0;
    head->previous = split->common;
    head->heal_count = ROSTER_HEAD_HEALS_COUNT;
    head->heals[0] = ours_first ? ours : split->other;
    head->heals[1] = ours_first ? split->other : ours;
    head->epoch = society_pending_epoch(society);
    if (head->epoch <= split->other_epoch)
        head->epoch = split->other_epoch + 1;
}

bool society_pending_begin(struct society *society)
{
    struct society_pending *pending = &society->pending;
    if (pending->exists && pending->head.heal_count > 0) {
        terminal_error("a head that heals a split is pending; let the officers `sign` it, or "
                       "`discard` it, then repeat this command");
        return false;
    }
    if (pending->exists && pending->signature_count > 0) {
        terminal_error("the pending head has %u of %u signatures already, so nothing can be added; "
                       "let the officers `sign` it, or `discard` it, then repeat this command",
                       pending->signature_count, society_pending_needed(society));
        return false;
    }
    if (!pending->exists) {
        pending->exists = true;
        const struct roster_head *head = roster_current_head(&society->roster);
        if (head != NULL)
            pending->head.officers = head->officers;
    }
    return true;
}

/* ---- putting ---- */

static bool pending_copy(uint8_t **to, size_t *to_size, struct bytes from)
{
    uint8_t *copy = malloc(from.size + 1);
    if (copy == NULL) {
        terminal_error("%s", err_sentence(ERR_NO_MEMORY));
        return false;
    }
    if (from.size > 0)
        memcpy(copy, from.data, from.size);
    free(*to);
    *to = copy;
    *to_size = from.size;
    return true;
}

/* Where `node_id` stands, or would. */
static uint32_t pending_place(const struct society_pending *pending, const struct node_id *node_id)
{
    uint32_t at = 0;
    while (at < pending->member_count &&
           memcmp(pending->members[at].node_id.bytes, node_id->bytes, NODE_ID_SIZE) < 0)
        at++;
    return at;
}

static bool pending_has(const struct society_pending *pending, uint32_t at,
                        const struct node_id *node_id)
{
    return at < pending->member_count && ID_EQUAL(pending->members[at].node_id, *node_id);
}

static bool pending_put(struct society_pending *pending, const struct node_id *node_id,
                        struct bytes packed)
{
    uint32_t at = pending_place(pending, node_id);
    if (!pending_has(pending, at, node_id)) {
        struct society_change *more =
            realloc(pending->members, (pending->member_count + 1) * sizeof *more);
        if (more == NULL) {
            terminal_error("%s", err_sentence(ERR_NO_MEMORY));
            return false;
        }
        pending->members = more;
        memmove(&more[at + 1], &more[at], (pending->member_count - at) * sizeof *more);
        pending->member_count++;
        more[at] = (struct society_change){.node_id = *node_id};
    }
    return pending_copy(&pending->members[at].packed, &pending->members[at].size, packed);
}

bool society_pending_put_member(struct society *society, const struct member *member)
{
    uint8_t memory[MEMBER_SIZE_MAX];
    struct buffer packed = buffer_over(memory, sizeof memory);
    err failure = member_check(member);
    if (failure != OK) {
        terminal_error("the entry of `%.*s` is not valid: %s; nothing was changed",
                       TERMINAL_TEXT(member->name), err_sentence(failure));
        return false;
    }
    member_write(&packed, member);
    return pending_put(&society->pending, &member->node_id, buffer_bytes(&packed));
}

bool society_pending_put_settings(struct society *society, const struct settings *settings)
{
    uint8_t memory[SETTINGS_SIZE_MAX];
    struct buffer packed = buffer_over(memory, sizeof memory);
    err failure = settings_check(settings);
    if (failure != OK) {
        terminal_error("these settings are not valid: %s; see `consilium-society settings --help`",
                       err_sentence(failure));
        return false;
    }
    settings_write(&packed, settings);
    struct society_pending *pending = &society->pending;
    return pending_copy(&pending->settings, &pending->settings_size, buffer_bytes(&packed));
}

bool society_pending_put_cuts(struct society *society, struct bytes cuts)
{
    struct society_pending *pending = &society->pending;
    size_t size = pending->cuts_size + cuts.size;
    struct buffer merged = buffer_over(malloc(size + 1), size);
    bool put = false;
    if (merged.data == NULL)
        terminal_error("%s", err_sentence(ERR_NO_MEMORY));
    else if (cuts_merge((struct bytes){pending->cuts, pending->cuts_size}, cuts, &merged) != OK)
        terminal_error("the pending head ends one of these streams already; `discard` it, then "
                       "repeat with all --cuts at once");
    else
        put = pending_copy(&pending->cuts, &pending->cuts_size, buffer_bytes(&merged));
    free(merged.data);
    return put;
}

/* ---- looking ---- */

const struct roster_entry *society_pending_in_force(const struct society *society,
                                                    const struct node_id *node_id)
{
    return society->roster.filled ? roster_find(&society->roster, node_id) : NULL;
}

bool society_pending_member(const struct society *society, const struct node_id *node_id,
                            struct member *ret_member)
{
    const struct society_pending *pending = &society->pending;
    uint32_t at = pending_place(pending, node_id);
    if (pending_has(pending, at, node_id)) {
        struct bytes packed = {pending->members[at].packed, pending->members[at].size};
        return member_read(packed, ret_member) == OK;
    }
    const struct roster_entry *entry = society_pending_in_force(society, node_id);
    if (entry == NULL)
        return false;
    roster_member(&society->roster, entry, ret_member);
    return true;
}

void society_pending_settings(const struct society *society, struct settings *ret_settings)
{
    const struct society_pending *pending = &society->pending;
    struct bytes packed = {pending->settings, pending->settings_size};
    if (pending->settings == NULL || settings_read(packed, ret_settings) != OK)
        *ret_settings = *roster_settings(&society->roster);
}

void society_pending_visit(const struct society *society,
                           void (*visit)(void *arg, const struct member *member), void *arg)
{
    const struct society_pending *pending = &society->pending;
    struct member member;
    uint32_t count = society->roster.filled ? roster_count(&society->roster) : 0;
    for (uint32_t i = 0; i < count; i++) {
        if (society_pending_member(society, &roster_at(&society->roster, i)->node_id, &member))
            visit(arg, &member);
    }
    for (uint32_t i = 0; i < pending->member_count; i++) {
        if (society_pending_in_force(society, &pending->members[i].node_id) == NULL &&
            society_pending_member(society, &pending->members[i].node_id, &member))
            visit(arg, &member);
    }
}

struct pending_search {
    const char *text;
    bool listing; /* prints each */
    uint32_t found;
    struct node_id node_id;
};

static void pending_try(void *arg, const struct member *member)
{
    struct pending_search *search = arg;
    char hex[2 * NODE_ID_SIZE + 1];
    size_t length = strlen(search->text);
    ids_to_hex(ID_BYTES(member->node_id), hex);
    bool by_id = length >= PENDING_ID_DIGITS_MIN && strncmp(hex, search->text, length) == 0;
    if (!by_id && !bytes_equal(member->name, bytes_of_text(search->text)))
        return;
    search->found++;
    search->node_id = member->node_id;
    if (search->listing)
        member_text_describe(member, stderr);
}

bool society_pending_find(const struct society *society, const char *text,
                          struct member *ret_member)
{
    struct pending_search search = {.text = text};
    society_pending_visit(society, pending_try, &search);
    if (search.found == 1)
        return society_pending_member(society, &search.node_id, ret_member);
    terminal_error(search.found == 0
                       ? "no member `%s`; `consilium-society show` lists names and node ids"
                       : "`%s` names several members; name the right one by its node id:",
                   text);
    search.listing = true;
    if (search.found > 1)
        society_pending_visit(society, pending_try, &search);
    return false;
}

/* ---- drafting ---- */

bool society_pending_items(const struct society_pending *pending, struct buffer *ret_items)
{
    size_t size = pending->settings_size + pending->cuts_size + DELTA_ITEM_HEADER_SIZE;
    size += (pending->cuts_size / PENDING_CUTS_SIZE_MAX + 1) * DELTA_ITEM_HEADER_SIZE;
    for (uint32_t i = 0; i < pending->member_count; i++)
        size += pending->members[i].size + DELTA_ITEM_HEADER_SIZE;
    *ret_items = buffer_over(malloc(size), size);
    if (ret_items->data == NULL) {
        terminal_error("%s", err_sentence(ERR_NO_MEMORY));
        return false;
    }
    if (pending->settings != NULL)
        delta_item_write(ret_items, DELTA_SETTINGS,
                         (struct bytes){pending->settings, pending->settings_size});
    for (size_t at = 0; at < pending->cuts_size; at += PENDING_CUTS_SIZE_MAX) {
        size_t left = pending->cuts_size - at;
        size_t take = left < PENDING_CUTS_SIZE_MAX ? left : (size_t)PENDING_CUTS_SIZE_MAX;
        delta_item_write(ret_items, DELTA_CUTS, (struct bytes){pending->cuts + at, take});
    }
    for (uint32_t i = 0; i < pending->member_count; i++)
        delta_item_write(ret_items, DELTA_MEMBER,
                         (struct bytes){pending->members[i].packed, pending->members[i].size});
    return true;
}

void society_pending_head(const struct society_pending *pending, struct buffer *head)
{
    struct roster_head_signed signed_head = {
        .body = {pending->body, pending->body_size},
        .signature_count = pending->signature_count,
    };
    memcpy(signed_head.signatures, pending->signatures, sizeof signed_head.signatures);
    roster_head_signed_write(head, &signed_head);
}

/* The content's roots, into `ret_head`. */
static bool pending_draft(struct society *society, struct roster_head *ret_head)
{
    struct buffer items;
    if (!society_pending_items(&society->pending, &items))
        return false;
    const struct roster_head *head = &society->pending.head;
    struct head_id ours = roster_current_id(&society->roster);
    struct roster_split split = {.common = head->previous, .other_epoch = head->epoch - 1};
    split.other = ID_EQUAL(head->heals[0], ours) ? head->heals[1] : head->heals[0];
    err failure =
        head->heal_count == 0
            ? roster_draft(&society->roster, buffer_bytes(&items), ret_head)
            : roster_draft_healing(&society->roster, buffer_bytes(&items), &split, ret_head);
    free(items.data);
    if (failure == OK)
        return true;
    terminal_error("the next head would not be valid: %s; either another member has the same key, "
                   "or one member changes twice in this head: then let the officers `sign` the "
                   "first change before you make the second",
                   err_sentence(failure));
    return false;
}

bool society_pending_finish(struct society *society, uint64_t valid_days)
{
    struct society_pending *pending = &society->pending;
    struct roster_head head;
    if (!pending_draft(society, &head))
        return false;
    head.officers = pending->head.officers;
    head.issued = terminal_now();
    head.valid_until.ms = head.issued.ms + valid_days * PENDING_DAY_MS;
    if (roster_head_check(&head) != OK) {
        terminal_error("the officers or dates of the next head are not valid; check --officer, "
                       "--threshold, --valid-days and the clock of this machine");
        return false;
    }
    struct buffer body = buffer_over(pending->body, sizeof pending->body);
    roster_head_write(&body, &head);
    pending->head = head;
    pending->body_size = body.size;
    pending->signature_count = 0;
    return true;
}

/* ---- reading it back ---- */

static bool pending_take_item(struct society *society, enum delta_kind kind, struct bytes content)
{
    struct society_pending *pending = &society->pending;
    struct member member;
    switch (kind) {
    case DELTA_SETTINGS:
        return pending_copy(&pending->settings, &pending->settings_size, content);
    case DELTA_CUTS:
        return cuts_check(content) == OK && society_pending_put_cuts(society, content);
    case DELTA_MEMBER:
        return member_read(content, &member) == OK &&
               pending_put(pending, &member.node_id, content);
    }
    return false;
}

static bool pending_take_items(struct society *society, struct bytes items)
{
    struct reader reader = reader_of(items);
    enum delta_kind kind;
    struct bytes content;
    err failure;
    while ((failure = delta_item_read(&reader, &kind, &content)) == OK) {
        if (!pending_take_item(society, kind, content))
            return false;
    }
    return failure == ERR_NOT_FOUND;
}

static bool pending_take_head(struct society_pending *pending, struct bytes head)
{
    struct roster_head_signed signed_head;
    if (roster_head_signed_read(head, &signed_head) != OK ||
        roster_head_read(signed_head.body, &pending->head) != OK ||
        signed_head.body.size > sizeof pending->body)
        return false;
    memcpy(pending->body, signed_head.body.data, signed_head.body.size);
    pending->body_size = signed_head.body.size;
    pending->signature_count = signed_head.signature_count;
    memcpy(pending->signatures, signed_head.signatures, sizeof pending->signatures);
    return true;
}

static bool pending_heals_same(const struct roster_head *a, const struct roster_head *b)
{
    return a->heal_count == b->heal_count &&
           (a->heal_count == 0 || memcmp(a->heals, b->heals, sizeof a->heals) == 0);
}

/* ROSTER-43: the pending head may have been altered when the directory was mailed. Before anybody
 * is asked to sign, its items must give this head, and each signature must be valid. */
static bool pending_proved(struct society *society)
{
    struct society_pending *pending = &society->pending;
    struct roster_head drafted;
    struct head_id id = roster_head_id((struct bytes){pending->body, pending->body_size});
    if (chain_find(&society->roster.chain, &id) != NULL)
        return true;
    if (!pending_draft(society, &drafted))
        return false;
    if (!roster_head_same_content(&drafted, &pending->head) ||
        drafted.epoch != pending->head.epoch ||
        !ID_EQUAL(drafted.previous, pending->head.previous) ||
        !pending_heals_same(&drafted, &pending->head) ||
        !ID_EQUAL(drafted.federation, pending->head.federation)) {
        terminal_error("the pending head does not match its items or the history");
        return false;
    }
    struct officers officers = society_pending_officers(society);
    struct roster_head_signed signed_head = {.body = {pending->body, pending->body_size},
                                             .signature_count = pending->signature_count};
    memcpy(signed_head.signatures, pending->signatures, sizeof signed_head.signatures);
    if (roster_head_signatures_check(&signed_head, &officers, 0) == OK)
        return true;
    terminal_error("a signature of the pending head is not valid");
    return false;
}

bool society_pending_read(struct society *society, struct bytes head, struct bytes items)
{
    society->pending.exists = true;
    if (pending_take_head(&society->pending, head) && pending_take_items(society, items) &&
        pending_proved(society))
        return true;
    terminal_error("the pending head in %s/pending cannot be used: the copy of the directory is "
                   "incomplete or altered; copy it again from the officer who prepared it, or "
                   "remove both files in that folder and prepare the change again",
                   society->path);
    return false;
}
