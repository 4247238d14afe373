#include "protocol/consult/consult_entitled.h"

#include "protocol/base/planted.h"
#include "protocol/consult/consult.h"

static bool leads(const struct consult *consult, const struct node_id *node)
{
    return (!ID_IS_ZERO(consult->requester) && ID_EQUAL(consult->requester, *node)) ||
           (!ID_IS_ZERO(consult->successor) && ID_EQUAL(consult->successor, *node));
}

/* C-61: a record of another writer belongs to the case while its author's grant covers the
 * position, or once it was taken in. */
static bool belongs(const struct consult *consult, const struct consult_participant *author,
                    const struct consult_record *record)
{
    if (author == NULL)
        return false;
    if (!author->is_ended || consult_taken_of(consult, &record->id) != NULL)
        return true;
    return record->generation != author->end_generation
               ? record->generation < author->end_generation
               : record->sequence <= author->end_sequence;
}

/* C-62: sealed to the requester until its REVEAL names it, or its author releases it. (T-31) A
 * release from the future opens nothing before its time. */
static bool is_unsealed(const struct consult *consult, const struct consult_participant *author,
                        const struct record_id *id, struct wall now)
{
    const struct consult_taken *taken = consult_taken_of(consult, id);
    if (taken != NULL && taken->is_revealed)
        return true;
    for (size_t i = 0; author != NULL && i < author->released_count; i++)
        if (ID_EQUAL(author->released[i].record_id, *id))
            return author->released[i].time.ms <= now.ms + CLOCK_SKEW_MS_MAX ||
                   PLANTED(RELEASED_EARLY);
    return false;
}

struct wall consult_entitled_from(const struct consult *consult,
                                  const struct consult_record *record, struct wall now)
{
    const struct consult_participant *author = consult_participant_of(consult, &record->writer);
    for (size_t i = 0; author != NULL && i < author->released_count; i++)
        if (ID_EQUAL(author->released[i].record_id, record->id) &&
            !is_unsealed(consult, author, &record->id, now))
            return (struct wall){author->released[i].time.ms - CLOCK_SKEW_MS_MAX};
    return (struct wall){0};
}

bool consult_entitled(const struct consult *consult, const struct node_id *node,
                      const struct consult_record *record, struct wall now)
{
    const struct consult_participant *reader = consult_participant_of(consult, node);
    const struct consult_participant *author = consult_participant_of(consult, &record->writer);
    /* C-51: of an erased case, only the clear records that announce the erasure may be read */
    if (record->audience == AUDIENCE_CLEAR)
        return consult_ever_entitled(consult, node);
    if (consult->state == CASE_ERASED)
        return false;
    /* C-60: the requester reads all, an author its own records, a participant what its grant
     * covers */
    if (leads(consult, node) || ID_EQUAL(*node, record->writer))
        return true;
    if (reader == NULL || (reader->is_ended && !PLANTED(GRANT_END_IGNORED)))
        return false;
    if (!leads(consult, &record->writer) && !belongs(consult, author, record))
        return false;
    return record->audience == AUDIENCE_SCOPE || PLANTED(REVEALED_EARLY) ||
           is_unsealed(consult, author, &record->id, now);
}
