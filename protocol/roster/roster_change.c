/* An earlier date would shorten the cooling-off that other nodes apply, so no number of officer
 * signatures makes it valid. */
#include "protocol/roster/roster_change.h"

#include "protocol/base/hash.h"

static bool change_in_range(const struct roster_change *change, uint64_t epoch)
{
    return epoch > change->low && epoch <= change->high;
}

/* ROSTER-20: the date of an unchanged value stays, or is new; the date of a changed value is
 * new. */
static bool change_date_fits(const struct roster_change *change, bool same, uint64_t before,
                             uint64_t now)
{
    return (same && now == before) || change_in_range(change, now);
}

static const struct member_board *change_board(const struct member *member, struct bytes tag)
{
    for (uint32_t i = 0; i < member->board_count; i++) {
        if (bytes_equal(member->boards[i].tag, tag))
            return &member->boards[i];
    }
    return NULL;
}

static bool change_boards_fit(const struct roster_change *change, const struct member *before,
                              const struct member *now)
{
    for (uint32_t i = 0; i < now->board_count; i++) {
        const struct member_board *old = change_board(before, now->boards[i].tag);
        uint64_t since = old == NULL ? 0 : old->since_epoch;
        if (!change_date_fits(change, old != NULL, since, now->boards[i].since_epoch))
            return false;
    }
    return true;
}

/* ROSTER-21: removal is permanent, and its successor, once named, stays. */
static bool change_state_fits(const struct roster_change *change, const struct member *before,
                              const struct member *now)
{
    if (before->state == MEMBER_REMOVED && now->state != MEMBER_REMOVED)
        return false;
    if (!ID_IS_ZERO(before->successor) && !ID_EQUAL(before->successor, now->successor))
        return false;
    if (now->admitted_epoch != before->admitted_epoch &&
        !(change->split_recovery && change_in_range(change, now->admitted_epoch)))
        return false;
    return change_date_fits(change, now->state == before->state, before->state_since_epoch,
                            now->state_since_epoch);
}

static bool change_keys_signed_over(const struct federation_id *federation,
                                    const struct member *before, const struct member *now)
{
    uint8_t memory[MEMBER_KEYS_MESSAGE_SIZE];
    member_keys_message(federation, now, memory);
    struct bytes message = {memory, sizeof memory};
    return hash_verify(CONTEXT_MEMBER_KEYS, message, &before->sign_key, &now->keys_signature) == OK;
}

/* ROSTER-22: from one head to the next, a claimed signature must be valid. Across several heads the
 * keys in between are not known here, so an invalid signature proves nothing. */
static err change_keys_check(const struct federation_id *federation,
                             const struct roster_change *change, const struct member *before,
                             const struct member *now, bool *ret_proved)
{
    bool same = ID_EQUAL(before->sign_key, now->sign_key) &&
                ID_EQUAL(before->transport_key, now->transport_key);
    if (!change_date_fits(change, same, before->keys_since_epoch, now->keys_since_epoch))
        return ERR_MALFORMED;
    if (now->keys_since_epoch == before->keys_since_epoch) {
        bool kept = now->keys_signed == before->keys_signed &&
                    (!now->keys_signed || ID_EQUAL(now->keys_signature, before->keys_signature));
        return kept ? OK : ERR_MALFORMED;
    }
    *ret_proved = now->keys_signed && change_keys_signed_over(federation, before, now);
    bool one_step = change->high == change->low + 1;
    return now->keys_signed && !*ret_proved && one_step ? ERR_MALFORMED : OK;
}

/* All dates of an entry are at least its admission and at most `high`. */
static bool change_dates_reached(const struct roster_change *change, const struct member *now)
{
    if (now->state_since_epoch > change->high || now->keys_since_epoch > change->high)
        return false;
    for (uint32_t i = 0; i < now->board_count; i++) {
        if (now->boards[i].since_epoch > change->high)
            return false;
    }
    return true;
}

err roster_change_check(const struct federation_id *federation, const struct roster_change *change,
                        const struct member *before, const struct member *now, bool *ret_proved)
{
    if (!change_dates_reached(change, now))
        return ERR_MALFORMED;
    if (before == NULL) {
        bool late = !change->snapshot && now->state != MEMBER_ADMITTED;
        *ret_proved = false;
        return late || !change_in_range(change, now->admitted_epoch) ? ERR_MALFORMED : OK;
    }
    if (!change_state_fits(change, before, now) || !change_boards_fit(change, before, now))
        return ERR_MALFORMED;
    return change_keys_check(federation, change, before, now, ret_proved);
}
