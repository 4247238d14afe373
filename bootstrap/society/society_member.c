#include "bootstrap/society/society_member.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap/directory/member_text.h"
#include "bootstrap/directory/society_cuts.h"
#include "bootstrap/directory/society_pending.h"
#include "bootstrap/present/look_alikes.h"
#include "bootstrap/present/society_text.h"
#include "bootstrap/terminal/terminal.h"
#include "node/os/file.h"
#include "protocol/base/fingerprint.h"
#include "protocol/member/tag.h"
#include "protocol/roster/join.h"

/* ---- the frame of each command: open, change, save ---- */

static int member_command(const struct society_options *options,
                          bool (*change)(struct society *, const struct society_options *))
{
    struct society *society = malloc(sizeof *society);
    if (society == NULL)
        return terminal_error("%s", err_sentence(ERR_NO_MEMORY));
    bool changed = false;
    if (society_directory_open(society, options->society, false)) {
        changed = society_pending_begin(society) && change(society, options) &&
                  society_directory_finish(society, options->valid_days);
        if (changed)
            printf("Prepared for the head of epoch %" PRIu64 "; now the officers `sign` it.\n",
                   society->pending.head.epoch);
        society_directory_close(society);
    }
    free(society);
    return changed ? 0 : 1;
}

/* Finds the member that the command line names, and says which one it is when others have a name
 * like it. */
static bool member_find(const struct society *society, const char *text, struct member *ret_member)
{
    if (!society_pending_find(society, text, ret_member))
        return false;
    struct look_alikes *all = look_alikes_new(society);
    if (all != NULL && look_alikes_count(all, ret_member) > 0) {
        terminal_warning("another member has a name that looks like `%.*s`:",
                         TERMINAL_TEXT(ret_member->name));
        look_alikes_print(all, ret_member, stderr);
        (void)fputs("This command is for:\n", stderr);
        member_text_describe(ret_member, stderr);
    }
    look_alikes_free(all);
    return true;
}

/* ---- requests ---- */

struct member_request {
    uint8_t *data; /* owned */
    size_t size;
    struct join_request request;
};

static bool member_read_request(const char *path, struct member_request *ret)
{
    err failure = file_read(path, JOIN_REQUEST_SIZE_MAX, &ret->data, &ret->size);
    if (failure != OK)
        return terminal_error("%s: %s", path, terminal_reason(failure)) == 0;
    failure = join_read((struct bytes){ret->data, ret->size}, &ret->request);
    if (failure == OK)
        return true;
    terminal_error("%s is not a request, or was damaged on the way; ask the institution to send it "
                   "again (`consiliumd request`)",
                   path);
    free(ret->data);
    return false;
}

static bool member_serves_as_asked(const struct member *member, const struct join_request *join)
{
    bool same = member->board_count == join->tag_count;
    for (uint32_t i = 0; same && i < join->tag_count; i++)
        same = bytes_equal(member->boards[i].tag, join->tags[i]);
    return same;
}

/* `member` as it will be. */
static void member_print_request(const struct member_request *request, const struct member *member)
{
    const struct join_request *join = &request->request;
    bool as_asked = member_serves_as_asked(member, join);
    char hex[2 * KEY_SIZE + 1];
    printf("%.*s (%.2s)", TERMINAL_TEXT(join->name), (const char *)join->country);
    if (!bytes_equal(member->name, join->name) ||
        memcmp(member->country, join->country, sizeof join->country) != 0)
        printf(", until now %.*s (%.2s)", TERMINAL_TEXT(member->name),
               (const char *)member->country);
    putchar('\n');
    ids_to_hex(ID_BYTES(join->node_id), hex);
    printf("  node id      %s\n", hex);
    ids_to_hex(ID_BYTES(join->sign_key), hex);
    printf("  signing key  %s\n", hex);
    ids_to_hex(ID_BYTES(join->transport_key), hex);
    printf("  transport    %s\n", hex);
    for (uint32_t i = 0; i < join->endpoint_count; i++)
        printf("  address      %.*s\n", TERMINAL_TEXT(join->endpoints[i]));
    for (uint32_t i = 0; i < member->board_count; i++)
        printf("  board        %.*s\n", TERMINAL_TEXT(member->boards[i].tag));
    if (as_asked)
        return;
    fputs("  it asked for", stdout);
    for (uint32_t i = 0; i < join->tag_count; i++)
        printf(" %.*s", TERMINAL_TEXT(join->tags[i]));
    puts(" instead");
}

/* ROSTER-41: the institution reads the fingerprint out on the phone, because its mail may have been
 * altered on the way. */
static bool member_confirm(const struct member_request *request, const struct member *member,
                           const struct society_options *options)
{
    struct hash hash = join_fingerprint((struct bytes){request->data, request->size});
    member_print_request(request, member);
    if (terminal_fingerprint(&hash, options->fingerprint, "the institution"))
        return true;
    terminal_error("nothing was changed; the request may come from somebody else");
    return false;
}

/* ---- admit ---- */

/* A tag must be a board of the federation, or cover one. */
static bool member_check_tag(const struct society *society, struct bytes tag)
{
    struct settings settings;
    society_pending_settings(society, &settings);
    for (uint32_t i = 0; i < settings.board_count; i++) {
        if (tag_covers(tag, settings.boards[i].tag))
            return true;
    }
    terminal_error("the federation has no board `%.*s`; its boards:", TERMINAL_TEXT(tag));
    for (uint32_t i = 0; i < settings.board_count; i++)
        fprintf(stderr, "  %.*s\n", TERMINAL_TEXT(settings.boards[i].tag));
    fputs("add it with `board add`, or name the boards with --board\n", stderr);
    return false;
}

static bool member_set_board(struct member *member, struct bytes tag, uint64_t epoch)
{
    uint32_t at = 0;
    while (at < member->board_count && tag_compare(member->boards[at].tag, tag) < 0)
        at++;
    if (at < member->board_count && bytes_equal(member->boards[at].tag, tag))
        return true;
    if (member->board_count == MEMBER_BOARD_COUNT_MAX)
        return terminal_error("a member serves at most %d boards", MEMBER_BOARD_COUNT_MAX) == 0;
    memmove(&member->boards[at + 1], &member->boards[at],
            (member->board_count - at) * sizeof member->boards[0]);
    member->boards[at] = (struct member_board){tag, epoch};
    member->board_count++;
    return true;
}

static bool member_check_new(const struct society *society, const struct member *member)
{
    struct member there;
    if (!society_pending_member(society, &member->node_id, &there))
        return true;
    switch (there.state) {
    case MEMBER_ADMITTED:
        terminal_error(
            "this institution is a member already; `rotate` changes its keys, name and addresses");
        return false;
    case MEMBER_SUSPENDED:
        terminal_error("this institution is suspended; `reinstate` ends the suspension");
        return false;
    case MEMBER_REMOVED:
        terminal_error("this institution was removed, for good; it can join again only with a new "
                       "identity (`consiliumd init`)");
        return false;
    }
    return false;
}

/* Refuses a name that people could take for another member's, unless the officer insists. */
static bool member_check_name(const struct society *society, const struct society_options *options,
                              const struct member *member, const char *advice)
{
    struct look_alikes *all = look_alikes_new(society);
    if (all == NULL)
        return terminal_error("%s", err_sentence(ERR_NO_MEMORY)) == 0;
    bool alike = look_alikes_count(all, member) > 0;
    if (alike && !options->allow_look_alike)
        terminal_error("the name `%.*s` (%.2s) looks like that of another member:",
                       TERMINAL_TEXT(member->name), (const char *)member->country);
    else if (alike)
        terminal_warning("the name `%.*s` (%.2s) looks like that of another member:",
                         TERMINAL_TEXT(member->name), (const char *)member->country);
    look_alikes_print(all, member, stderr);
    look_alikes_free(all);
    if (!alike || options->allow_look_alike)
        return true;
    (void)fprintf(stderr, "%s\n", advice);
    return false;
}

static bool member_admit_request(struct society *society, const struct society_options *options,
                                 const struct member_request *request)
{
    struct member member;
    uint64_t epoch = society_pending_epoch(society);
    join_member(&request->request, epoch, &member);
    if (options->board_count > 0)
        member.board_count = 0;
    for (uint32_t i = 0; i < options->board_count; i++) {
        if (!member_set_board(&member, bytes_of_text(options->boards[i]), epoch))
            return false;
    }
    for (uint32_t i = 0; i < member.board_count; i++) {
        if (!member_check_tag(society, member.boards[i].tag))
            return false;
    }
    return member_check_new(society, &member) &&
           member_check_name(society, options, &member,
                             "Call both institutions. If they are two, ask for a request with a "
                             "name that tells them apart, or repeat with --allow-look-alike. If "
                             "they are one, it keeps its node: `rotate`.") &&
           member_confirm(request, &member, options) &&
           society_pending_put_member(society, &member);
}

static bool member_admit(struct society *society, const struct society_options *options)
{
    struct member_request request;
    if (!member_read_request(options->arguments[0], &request))
        return false;
    bool admitted = member_admit_request(society, options, &request);
    free(request.data);
    return admitted;
}

int society_member_admit(const struct society_options *options)
{
    return member_command(options, member_admit);
}

/* ---- suspend, reinstate, remove ---- */

static bool member_in_state(const struct member *member, enum member_state wanted)
{
    if (member->state == wanted)
        return true;
    terminal_error("`%.*s` is %s, not %s", TERMINAL_TEXT(member->name),
                   member_text_state(member->state), member_text_state(wanted));
    return false;
}

static bool member_suspend(struct society *society, const struct society_options *options)
{
    struct member member;
    if (!member_find(society, options->arguments[0], &member) ||
        !member_in_state(&member, MEMBER_ADMITTED))
        return false;
    member.state = MEMBER_SUSPENDED;
    member.state_since_epoch = society_pending_epoch(society);
    return society_pending_put_member(society, &member);
}

int society_member_suspend(const struct society_options *options)
{
    return member_command(options, member_suspend);
}

static bool member_reinstate(struct society *society, const struct society_options *options)
{
    struct member member;
    if (!member_find(society, options->arguments[0], &member) ||
        !member_in_state(&member, MEMBER_SUSPENDED))
        return false;
    uint64_t epoch = society_pending_epoch(society);
    member.state = MEMBER_ADMITTED;
    member.state_since_epoch = epoch;
    for (uint32_t i = 0; i < member.board_count; i++)
        member.boards[i].since_epoch = epoch;
    return society_pending_put_member(society, &member);
}

int society_member_reinstate(const struct society_options *options)
{
    return member_command(options, member_reinstate);
}

static bool member_name_successor(struct society *society, const struct society_options *options,
                                  struct member *member)
{
    struct member successor;
    if (options->successor == NULL)
        return true;
    if (!member_find(society, options->successor, &successor))
        return false;
    if (ID_EQUAL(successor.node_id, member->node_id) || successor.state != MEMBER_ADMITTED)
        return terminal_error("the successor must be another member, and admitted") == 0;
    member->successor = successor.node_id;
    return true;
}

/* `member` borrows from the pending head, so it is put before the cuts. */
static bool member_remove(struct society *society, const struct society_options *options)
{
    struct member member;
    if (!member_find(society, options->arguments[0], &member))
        return false;
    if (member.state == MEMBER_REMOVED)
        return terminal_error("this member is removed already; nothing was changed") == 0;
    if (member.state == MEMBER_ADMITTED)
        terminal_warning(
            "`suspend` the member first: then other members can report how far its streams reach "
            "(`consilium report`), and --cuts can say where each stream ends");
    struct node_id node_id = member.node_id;
    if (!member_name_successor(society, options, &member))
        return false;
    member.state = MEMBER_REMOVED;
    member.state_since_epoch = society_pending_epoch(society);
    return society_pending_put_member(society, &member) &&
           society_cuts_from_reports(society, options->cuts, options->cut_count, &node_id);
}

int society_member_remove(const struct society_options *options)
{
    return member_command(options, member_remove);
}

/* ---- rotate ---- */

static bool member_keys_differ(const struct member *member, const struct join_request *join)
{
    return !ID_EQUAL(member->sign_key, join->sign_key) ||
           !ID_EQUAL(member->transport_key, join->transport_key);
}

static bool member_take_keys(struct society *society, struct member *member,
                             const struct join_request *join)
{
    uint8_t memory[MEMBER_KEYS_MESSAGE_SIZE];
    struct sign_key old = member->sign_key;
    struct federation_id federation = roster_federation(&society->roster);
    member->sign_key = join->sign_key;
    member->transport_key = join->transport_key;
    member->keys_since_epoch = society_pending_epoch(society);
    member->keys_signed = false;
    if (!join->has_old_signature) {
        terminal_warning("the old key did not sign this change: members wait for the cooling-off "
                         "before the new keys may read");
        return true;
    }
    member_keys_message(&federation, member, memory);
    if (hash_verify(CONTEXT_MEMBER_KEYS, (struct bytes){memory, sizeof memory}, &old,
                    &join->old_signature) != OK)
        return terminal_error("the signature in the request is not from the old key; ask the "
                              "institution for a new request (`consiliumd request`)") == 0;
    member->keys_signed = true;
    member->keys_signature = join->old_signature;
    return true;
}

static bool member_rotate_request(struct society *society, const struct society_options *options,
                                  const struct member_request *request)
{
    struct member member;
    const struct join_request *join = &request->request;
    if (!society_pending_member(society, &join->node_id, &member))
        return terminal_error("no member has this node id; `admit` admits a new institution") == 0;
    bool renamed = !bytes_equal(member.name, join->name);
    struct member named = member;
    named.name = join->name;
    if (!member_in_state(&member, MEMBER_ADMITTED) ||
        (renamed && !member_check_name(society, options, &named,
                                       "Ask for a request with a name that tells them apart, or "
                                       "repeat with --allow-look-alike.")) ||
        !member_confirm(request, &member, options))
        return false;
    member.name = join->name;
    memcpy(member.country, join->country, sizeof member.country);
    member.endpoint_count = join->endpoint_count;
    memcpy(member.endpoints, join->endpoints, sizeof member.endpoints);
    if (member_keys_differ(&member, join) && !member_take_keys(society, &member, join))
        return false;
    return society_pending_put_member(society, &member);
}

static bool member_rotate(struct society *society, const struct society_options *options)
{
    struct member_request request;
    if (!member_read_request(options->arguments[0], &request))
        return false;
    bool rotated = member_rotate_request(society, options, &request);
    free(request.data);
    return rotated;
}

int society_member_rotate(const struct society_options *options)
{
    return member_command(options, member_rotate);
}

/* ---- boards of a member ---- */

static bool member_serve(struct society *society, const struct society_options *options)
{
    struct member member;
    struct bytes tag = bytes_of_text(options->arguments[1]);
    if (!member_find(society, options->arguments[0], &member) || !member_check_tag(society, tag) ||
        !member_set_board(&member, tag, society_pending_epoch(society)))
        return false;
    return society_pending_put_member(society, &member);
}

int society_member_serve(const struct society_options *options)
{
    return member_command(options, member_serve);
}

static bool member_unserve(struct society *society, const struct society_options *options)
{
    struct member member;
    struct bytes tag = bytes_of_text(options->arguments[1]);
    if (!member_find(society, options->arguments[0], &member))
        return false;
    uint32_t at = 0;
    while (at < member.board_count && !bytes_equal(member.boards[at].tag, tag))
        at++;
    if (at == member.board_count)
        return terminal_error(
                   "this member does not serve `%s`; `consilium-society show` lists what it serves",
                   options->arguments[1]) == 0;
    member.board_count--;
    memmove(&member.boards[at], &member.boards[at + 1],
            (member.board_count - at) * sizeof member.boards[0]);
    return society_pending_put_member(society, &member);
}

int society_member_unserve(const struct society_options *options)
{
    return member_command(options, member_unserve);
}
