#include "protocol/roster/roster_entitled.h"

#include "protocol/base/planted.h"

/* ROSTER-30, ROSTER-31: the time from which a change of `epoch` is effective. */
static uint64_t entitled_from_epoch(const struct roster *roster, uint64_t epoch, uint64_t cooling)
{
    if (roster->self_admitted_epoch != 0 && epoch <= roster->self_admitted_epoch)
        return 0;
    const struct chain_link *link = chain_since(&roster->chain, epoch);
    return link == NULL ? UINT64_MAX : link->received.ms + cooling;
}

struct wall roster_entitled_from(const struct roster *roster, const struct roster_entry *member,
                                 int board, struct wall now)
{
    uint64_t cooling = roster_cooling_off_ms(roster, now);
    uint64_t from = entitled_from_epoch(roster, member->state_since_epoch, cooling);
    if (!member->keys_proved) {
        uint64_t keys = entitled_from_epoch(roster, member->keys_since_epoch, cooling);
        from = keys > from ? keys : from;
    }
    if (board >= 0) {
        struct member whole;
        roster_member(roster, member, &whole);
        struct bytes tag = roster_settings(roster)->boards[board].tag;
        uint64_t served = entitled_from_epoch(roster, member_serves_since(&whole, tag), cooling);
        from = served > from ? served : from;
    }
    return (struct wall){now.ms < from && !PLANTED(COOLING_OFF_SKIPPED) ? from : 0};
}

static err entitled_find(const struct roster *roster, const struct node_id *member,
                         const struct roster_entry **ret_entry)
{
    if (roster_is_behind(roster))
        return ERR_UNKNOWN_HEAD; /* ROSTER-17 */
    const struct roster_entry *entry = roster_find(roster, member);
    if (entry == NULL || entry->state != MEMBER_ADMITTED)
        return ERR_UNKNOWN_MEMBER; /* ROSTER-35 */
    *ret_entry = entry;
    return OK;
}

err roster_entitled_member(const struct roster *roster, const struct node_id *member,
                           struct wall now)
{
    const struct roster_entry *entry;
    err failure = entitled_find(roster, member, &entry);
    if (failure != OK)
        return failure == ERR_UNKNOWN_MEMBER && PLANTED(KEY_TO_REMOVED) ? OK : failure;
    return roster_entitled_from(roster, entry, -1, now).ms == 0 ? OK : ERR_COOLING_OFF;
}

err roster_entitled_board(const struct roster *roster, const struct node_id *member,
                          const struct scope *scope, const struct head_id *record_head,
                          struct wall now)
{
    const struct roster_entry *entry;
    struct member whole;
    err failure = entitled_find(roster, member, &entry);
    if (failure != OK)
        return failure;
    int board = roster_board(roster, scope);
    if (board < 0 || !roster_serves(roster, entry, scope))
        return ERR_NOT_ENTITLED;
    const struct chain_link *link = chain_find(&roster->chain, record_head);
    if (link == NULL)
        return ERR_UNKNOWN_HEAD;
    /* ROSTER-33: no member reads records older than its admission to the board. */
    roster_member(roster, entry, &whole);
    if (!PLANTED(OLDER_THAN_ADMISSION) &&
        link->epoch < member_serves_since(&whole, roster_settings(roster)->boards[board].tag))
        return ERR_NOT_ENTITLED;
    return roster_entitled_from(roster, entry, board, now).ms == 0 ? OK : ERR_COOLING_OFF;
}

uint32_t roster_entitled_count(const struct roster *roster, const struct scope *scope,
                               struct wall now)
{
    uint32_t count = 0;
    int board = roster_board(roster, scope);
    if (board < 0 || roster_is_behind(roster))
        return 0;
    for (uint32_t i = 0; i < roster_count(roster); i++) {
        const struct roster_entry *entry = roster_at(roster, i);
        if (entry->state == MEMBER_ADMITTED && (entry->boards >> board & 1) != 0 &&
            !ID_EQUAL(entry->node_id, roster->self) &&
            roster_entitled_from(roster, entry, board, now).ms == 0)
            count++;
    }
    return count;
}
