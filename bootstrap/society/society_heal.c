#include "bootstrap/society/society_heal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bootstrap/directory/society_pending.h"
#include "bootstrap/present/society_changes.h"
#include "bootstrap/terminal/terminal.h"

struct heal {
    struct society *ours;
    struct society *theirs;
    uint64_t epoch; /* of the healing head */
    struct roster_split split;
};

/* ---- the split ---- */

static bool heal_find_split(struct heal *heal)
{
    const struct chain *ours = &heal->ours->roster.chain, *theirs = &heal->theirs->roster.chain;
    const struct chain_link *last = chain_last(theirs);
    if (!ID_EQUAL(ours->federation, theirs->federation)) {
        terminal_error(
            "%s holds another federation; name a copy of this directory as the other side has it",
            heal->theirs->path);
        return false;
    }
    if (chain_find(ours, &last->id) != NULL || chain_find(theirs, &chain_last(ours)->id) != NULL) {
        terminal_error(
            "there is no split: one of the two directories is only older; copy the newer one");
        return false;
    }
    uint32_t at = ours->count;
    while (chain_find(theirs, &ours->links[at - 1].id) == NULL)
        at--; /* ends at the founding head */
    heal->split = (struct roster_split){
        .common = ours->links[at - 1].id, .other = last->id, .other_epoch = last->epoch};
    uint64_t low = chain_last(ours)->epoch;
    heal->epoch = (low > last->epoch ? low : last->epoch) + 1;
    return true;
}

/* ---- one member, of both sides: what differs counts from the healing head on ---- */

static bool heal_refuse(const struct member *member, const char *what)
{
    terminal_error("%.*s: %s; let one side undo that first, then repeat `heal`",
                   TERMINAL_TEXT(member->name), what);
    return false;
}

static void heal_date_boards(struct member *member, uint64_t epoch)
{
    for (uint32_t i = 0; i < member->board_count; i++)
        member->boards[i].since_epoch = epoch;
}

static void heal_date_keys(struct member *member, uint64_t epoch)
{
    member->keys_since_epoch = epoch;
    member->keys_signed = false;
    memset(&member->keys_signature, 0, sizeof member->keys_signature);
}

static void heal_date_all(struct member *member, uint64_t epoch)
{
    member->admitted_epoch = member->state_since_epoch = epoch;
    heal_date_boards(member, epoch);
    heal_date_keys(member, epoch);
}

static int heal_order(struct bytes a, struct bytes b)
{
    size_t least = a.size < b.size ? a.size : b.size;
    int order = memcmp(a.data, b.data, least);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* Boards of both, ascending. */
static bool heal_boards(struct heal *heal, struct member *member, const struct member *other)
{
    const struct member ours = *member;
    uint32_t i = 0, k = 0, count = 0;
    while (i < ours.board_count || k < other->board_count) {
        int order = i == ours.board_count ? 1
                    : k == other->board_count
                        ? -1
                        : heal_order(ours.boards[i].tag, other->boards[k].tag);
        if (count == MEMBER_BOARD_COUNT_MAX)
            return heal_refuse(member, "both sides together give it too many boards");
        struct member_board board = order <= 0 ? ours.boards[i] : other->boards[k];
        if (order != 0 || ours.boards[i].since_epoch != other->boards[k].since_epoch)
            board.since_epoch = heal->epoch;
        member->boards[count++] = board;
        i += order <= 0;
        k += order >= 0;
    }
    member->board_count = count;
    return true;
}

/* The stricter state counts: a removal is for good, a suspension lasts until it is ended. */
static bool heal_state(struct heal *heal, struct member *member, const struct member *other)
{
    bool same =
        member->state == other->state && member->state_since_epoch == other->state_since_epoch;
    if (other->state > member->state)
        member->state = other->state;
    if (!same)
        member->state_since_epoch = heal->epoch;
    if (!ID_IS_ZERO(member->successor) && !ID_IS_ZERO(other->successor) &&
        !ID_EQUAL(member->successor, other->successor))
        return heal_refuse(member, "the two sides name different successors");
    if (ID_IS_ZERO(member->successor))
        member->successor = other->successor;
    return true;
}

static bool heal_both(struct heal *heal, struct member *member, const struct member *other)
{
    bool keys_same = ID_EQUAL(member->sign_key, other->sign_key) &&
                     ID_EQUAL(member->transport_key, other->transport_key) &&
                     member->keys_since_epoch == other->keys_since_epoch &&
                     member->keys_signed == other->keys_signed &&
                     ID_EQUAL(member->keys_signature, other->keys_signature);
    if (!heal_state(heal, member, other) || !heal_boards(heal, member, other))
        return false;
    if (!keys_same)
        heal_date_keys(member, heal->epoch);
    if (member->admitted_epoch != other->admitted_epoch)
        heal_date_all(member, heal->epoch);
    if (member->state == MEMBER_ADMITTED && member->state_since_epoch == heal->epoch)
        heal_date_boards(member, heal->epoch); /* none before a reinstatement */
    return true;
}

static bool heal_member(struct heal *heal, const struct roster_entry *ours,
                        const struct roster_entry *theirs)
{
    struct member member, other;
    if (ours != NULL)
        roster_member(&heal->ours->roster, ours, &member);
    if (theirs != NULL)
        roster_member(&heal->theirs->roster, theirs, ours == NULL ? &member : &other);
    if (ours == NULL || theirs == NULL)
        heal_date_all(&member, heal->epoch);
    else if (!heal_both(heal, &member, &other))
        return false;
    return society_pending_put_member(heal->ours, &member);
}

/* ---- all of it ---- */

static bool heal_members(struct heal *heal)
{
    const struct roster *ours = &heal->ours->roster, *theirs = &heal->theirs->roster;
    for (uint32_t i = 0; i < roster_count(ours); i++) {
        const struct roster_entry *entry = roster_at(ours, i);
        if (!heal_member(heal, entry, roster_find(theirs, &entry->node_id)))
            return false;
    }
    for (uint32_t i = 0; i < roster_count(theirs); i++) {
        const struct roster_entry *entry = roster_at(theirs, i);
        if (roster_find(ours, &entry->node_id) == NULL && !heal_member(heal, NULL, entry))
            return false;
    }
    return true;
}

/* The cuts of both sides. A stream that they end at different records cannot be healed. */
static bool heal_cuts(struct heal *heal)
{
    struct bytes ours = roster_cuts(&heal->ours->roster),
                 theirs = roster_cuts(&heal->theirs->roster);
    if (!society_pending_put_cuts(heal->ours, ours))
        return false;
    for (uint32_t i = 0; i < cuts_count(theirs); i++) {
        struct cut cut, mine;
        uint8_t memory[CUT_SIZE];
        struct buffer added = buffer_over(memory, sizeof memory);
        cuts_at(theirs, i, &cut);
        if (cuts_find(ours, &cut.stream, &mine)) {
            if (mine.sequence == cut.sequence && ID_EQUAL(mine.record, cut.record))
                continue;
            terminal_error("the two sides end one stream of a removed member at different records; "
                           "no head can name both, so this split cannot be healed");
            return false;
        }
        cuts_write(&added, &cut);
        if (!society_pending_put_cuts(heal->ours, buffer_bytes(&added)))
            return false;
    }
    return true;
}

static bool heal_prepare(struct heal *heal, const struct society_options *options)
{
    struct society_pending *pending = &heal->ours->pending;
    if (pending->exists) {
        terminal_error(
            "a head is pending; let the officers `sign` it, or `discard` it, then repeat `heal`");
        return false;
    }
    if (!heal_find_split(heal) || !society_pending_begin(heal->ours))
        return false;
    society_pending_heal(heal->ours, &heal->split);
    if (!society_pending_put_settings(heal->ours, roster_settings(&heal->ours->roster)) ||
        !heal_cuts(heal) || !heal_members(heal) ||
        !society_directory_finish(heal->ours, options->valid_days))
        return false;
    char common[2 * HASH_SIZE + 1];
    ids_to_hex(ID_BYTES(heal->split.common), common);
    printf("The healing head of epoch %" PRIu64 " is prepared. %u officers of the last common head "
           "%.16s must sign it.\nSettings and officers are those of %s; what differs between the "
           "two sides counts from this head on.\n",
           heal->epoch, society_pending_needed(heal->ours), common, heal->ours->path);
    society_changes_show(heal->ours);
    return true;
}

/* The other side's directory exists and is not this one. */
static bool heal_check_folder(const struct society_options *options)
{
    struct stat ours, theirs;
    const char *folder = options->arguments[0];
    if (stat(folder, &theirs) != 0 || !S_ISDIR(theirs.st_mode)) {
        terminal_error(
            "%s is not a directory; name a copy of this directory as the other side has it",
            folder);
        return false;
    }
    if (stat(options->society, &ours) == 0 && ours.st_dev == theirs.st_dev &&
        ours.st_ino == theirs.st_ino) {
        terminal_error("%s is this directory itself; name a copy of it as the other side has it",
                       folder);
        return false;
    }
    return true;
}

int society_heal_split(const struct society_options *options)
{
    struct society *both = calloc(2, sizeof *both);
    struct heal heal = {.ours = both, .theirs = both + 1};
    if (both == NULL)
        return terminal_error("%s", err_sentence(ERR_NO_MEMORY));
    int status = 1;
    if (heal_check_folder(options) && society_directory_open(heal.ours, options->society, false)) {
        if (society_directory_open(heal.theirs, options->arguments[0], false)) {
            status = heal_prepare(&heal, options) ? 0 : 1;
            society_directory_close(heal.theirs);
        }
        society_directory_close(heal.ours);
    }
    free(both);
    return status;
}
