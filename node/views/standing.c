#include "node/views/standing.h"

#include "protocol/record/kind.h"

struct standing_words {
    const char *state;
    err code;
    const char *message;
    const char *hint;
};

/* The officers' decision reaches the relays and the others first, and they hang up. */
static const struct standing_words standing_refused = {
    "refused", ERR_UNKNOWN_MEMBER,
    "all relays and members that are reached refuse this node's key: the society has suspended or "
    "removed this institution, or changed its keys; what it writes reaches nobody",
    "ask the society's officers; they end a suspension with `consilium-society reinstate`; keep "
    "this node and its data"};

static const struct standing_words *standing_words(const struct runtime *runtime)
{
    static const struct standing_words table[] = {
        [STANDING_DOUBLED] =
            {"doubled", ERR_FORKED,
             "a second node with this institution's keys is running: both were connected to one "
             "relay or member at the same time; both write nothing any more, because two that "
             "write would be taken for a forgery",
             "find the other one (a restored copy, a cloned machine), decide which one lives, shut "
             "the other one down for good, then restart this one: `systemctl restart consiliumd`; "
             "see consiliumd(8), COPIES"},
        [STANDING_FROZEN] =
            {"frozen", ERR_FORKED,
             "this institution's node is frozen: it signed two different records at one position, "
             "because an older copy of its data or a second copy of the node was running; other "
             "members accept nothing that it writes",
             "shut down every other copy of this node, keep its data, and telephone the society: "
             "its officers run `consilium-society suspend` and then `reinstate` for this "
             "institution; see consiliumd(8), COPIES"},
        [STANDING_SUSPENDED] =
            {"suspended", ERR_UNKNOWN_MEMBER,
             "the society has suspended this institution: other members accept nothing that it "
             "writes",
             "ask the society's officers why; they end it with `consilium-society reinstate`; "
             "keep this node and its data"},
        [STANDING_REMOVED] =
            {"removed", ERR_UNKNOWN_MEMBER,
             "the society has removed this institution from the federation: other members accept "
             "nothing new that it writes",
             "ask the society's officers; to come back, make a new identity with `consiliumd init` "
             "and send them a new request; this node still shows what it holds"},
    };
    enum engine_standing standing = engine_standing(runtime_engine(runtime));
    if (standing != STANDING_GOOD)
        return &table[standing];
    return runtime_is_refused(runtime) ? &standing_refused : NULL;
}

err standing_check(const struct runtime *runtime, uint16_t kind, struct refusal *ret_refusal)
{
    const struct standing_words *words = standing_words(runtime);
    bool is_doubled = engine_standing(runtime_engine(runtime)) == STANDING_DOUBLED;
    if (words == NULL || (kind == KIND_ERASE && !is_doubled))
        return OK;
    return refusal_set(ret_refusal, words->code, words->hint, "%s", words->message);
}

json_t *standing_json(const struct runtime *runtime)
{
    const struct standing_words *words = standing_words(runtime);
    return words == NULL ? json_null()
                         : json_pack("{s:s,s:s,s:s}", "state", words->state, "message",
                                     words->message, "hint", words->hint);
}
