/* Planted faults: for each promise, one line of wrong code that the tests must detect.
 *
 * PLANTED() is the constant false, and the compiler removes it, unless the program was built with
 * CONSILIUM_PLANTED. Only tests/planted builds so; no product does. One build holds all faults; the
 * environment variable CONSILIUM_FAULT chooses one at the start. tests/planted/README.md says which
 * test finds which fault. */
#ifndef CONSILIUM_PROTOCOL_BASE_PLANTED_H
#define CONSILIUM_PROTOCOL_BASE_PLANTED_H

/* name, what goes wrong */
#define PLANTED_LIST(X)                                                                            \
    X(ANSWERED_BEFORE_COMMIT, "a post is answered with OK before it is durable")                   \
    X(PUSHED_BEFORE_COMMIT, "a record leaves before it is durable")                                \
    X(REPORTED_BEFORE_COMMIT, "a peer is told of positions that are not durable")                  \
    X(SENT_IS_RECEIVED, "what was sent counts as received")                                        \
    X(LACKS_ARE_REPORTED, "a position without body or key is reported as held")                    \
    X(RUN_NOT_VERIFIED, "the signature that ends a run is not checked")                            \
    X(SPOILED_IS_SENT, "a record whose signature was spoiled on the way is passed on alone")       \
    X(PASSED_ON_IS_JOINED, "frames that others pass on are checked as one run")                    \
    X(COMMITMENT_SKIPPED, "a key that the header does not commit to opens a body")                 \
    X(NOT_CANONICAL_TAKEN, "longer encodings than needed are accepted")                            \
    X(DUPLICATE_BY_SEQUENCE, "another record at a known position is taken for a duplicate")        \
    X(FORKED_IS_HEARD, "a writer that equivocated is heard in its other streams")                  \
    X(FORK_FORGOTTEN, "a restart forgets who equivocated")                                         \
    X(HEADS_FALL, "the roster heads that a stream names may go back")                              \
    X(FUTURE_HOLDS_STREAM, "a record from the future stops its stream until its time")             \
    X(RELEASED_EARLY, "a release from the future opens an opinion at once")                        \
    X(EXPIRED_IS_KEPT, "a body that comes after its expiry is kept")                               \
    X(CUT_IGNORED, "a removed writer is heard beyond its cut")                                     \
    X(UNINVITED_WRITER, "a member writes in a case to which nobody invited it")                    \
    X(REFUSED_ASKED_AT_ONCE, "what was refused is asked for again without a pause")                \
    X(LACK_ASKED_AT_ONCE, "a body or key that nobody gives is asked for without a pause")          \
    X(GRANT_ASKS_FOR_ALL, "a grant in one case makes all be asked for that is missing anywhere")   \
    X(KEY_TO_REMOVED, "a member that was removed keeps its link and gets keys")                    \
    X(KEY_BEFORE_COMPARISON, "keys leave before heads were compared")                              \
    X(KEY_ACROSS_SPLIT, "a member whose head is none of ours gets keys")                           \
    X(COOLING_OFF_SKIPPED, "a new member gets keys during its cooling-off")                        \
    X(OLDER_THAN_ADMISSION, "a new member gets keys older than its admission")                     \
    X(REVEALED_EARLY, "a participant reads sealed opinions before they are revealed")              \
    X(GRANT_END_IGNORED, "a participant reads on after its access ended")                          \
    X(MAIL_TO_ANYBODY, "mail is shared with members that are not its recipient")                   \
    X(CASE_BY_ARRIVAL, "the state of a case follows from the order of arrival")                    \
    X(ERASED_IS_KEPT, "what comes late for an erased case is kept")                                \
    X(TOMBSTONE_FORGOTTEN, "a restart forgets that a case was erased")                             \
    X(NOTICE_FORGOTTEN, "a notice of access that the disk did not take is not written later")      \
    X(ERASURE_NOT_RESUMED, "a start leaves an erasure where the end of the process cut it short")  \
    X(MAILBOX_KEY_KEPT, "the secret of a replaced mailbox key is never destroyed")                 \
    X(ENVELOPE_KEPT, "a custodian keeps an envelope beyond its days")                              \
    X(CLINICIAN_NOT_CHECKED, "the word of a clinician without a certificate counts")               \
    X(WRITER_WITHOUT_BOUND, "one writer may fill the disk")                                        \
    X(SIGNED_BEFORE_SEEN, "a restored node writes before it saw where its streams stand")          \
    X(PEER_POSITION_TRUSTED, "what a peer reported on an earlier connection counts on the next")   \
    X(ONE_CLOCK_BELIEVED, "the clock of a single peer stops a node from writing")                  \
    X(FORGER_IS_NOT_CUT, "a member that sends forged signatures again and again keeps its link")   \
    X(PASSER_ON_IS_BLAMED, "who passes a record on answers for a signature inside a run")          \
    X(NEWCOMER_IS_EVICTED, "when strangers fill the table of handshakes, who comes last goes")

enum planted {
    PLANTED_NONE,
#define PLANTED_ENUM(name, sentence) PLANTED_##name,
    PLANTED_LIST(PLANTED_ENUM)
#undef PLANTED_ENUM
};

#ifdef CONSILIUM_PLANTED
extern enum planted planted_chosen;
#define PLANTED(name) (planted_chosen == PLANTED_##name)
#else
#define PLANTED(name) (PLANTED_NONE == PLANTED_##name)
#endif

#endif
