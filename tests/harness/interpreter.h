/* Carries out the effects of one engine and gives it the answers, with the promises at the top of
 * protocol/step/step.h. It is what the shells of `cluster`, `single` and tests/sim share; where
 * these differ (the disk, the wire, the keys, the clock), they hand in a function.
 *
 * All answers come in the order of their effects, after the step that asked for them. A broken
 * promise, also one of the engine's, ends the program with a sentence: there is no cmocka here,
 * since fuzzers use it too. */
#ifndef CONSILIUM_TESTS_HARNESS_INTERPRETER_H
#define CONSILIUM_TESTS_HARNESS_INTERPRETER_H

#include "protocol/engine/engine.h"

enum { INTERPRETER_ROUNDS_MAX = 100000 }; /* answers to one event, and all that follows from it */

struct interpreter_answer;

/* What differs between shells. `arg` is that of interpreter_init. */
struct interpreter_calls {
    /* An event of this kind at the present time. */
    struct event (*event)(const void *arg, enum event_kind kind);

    /* EFFECT_KEEP: stores all of `effect->batch`, or nothing and says why. NULL: the shell stores
     * it later and sets the verdict of the answer, which it took by `delay`. */
    err (*store)(void *arg, const struct effect *effect);

    /* EFFECT_LOAD: finds the record at `sequence`, or the one with `effect->load.id` if
     * `effect->load.is_by_id`; false when it is not stored. What is found is copied at once. */
    bool (*load)(void *arg, const struct effect *effect, uint64_t sequence,
                 struct step_record *ret_record);

    /* EFFECT_CHECK: sets the verdicts in the batch; `memory` has room for all opened bodies. */
    void (*check)(void *arg, struct step_batch *batch, struct buffer *memory);

    /* EFFECT_SEAL: gives the secrets to seal with; a failure becomes the verdict. */
    err (*seal)(void *arg, const struct effect *effect, struct record_secrets *ret_secrets);

    /* EFFECT_SEND: takes the frame. */
    void (*send)(void *arg, const struct effect *effect);

    /* EFFECT_WAKE: finds the row that the last EFFECT_REST of the case gave. NULL: no row is ever
     * stored, so none is asked for. */
    struct bytes (*wake)(void *arg, const struct case_id *case_id);

    /* Takes an answer that the shell gives at its own time, and frees; false: it is due now, after
     * those before it. The shell keeps the promised order. NULL: all are due. */
    bool (*delay)(void *arg, struct interpreter_answer *answer);

    /* All other effects. Whoever carries one out answers with interpreter_answer. */
    void (*notify)(void *arg, const struct effect *effect);
};

/* An answer that is due, with a copy of all that its event points at. */
struct interpreter_answer {
    struct interpreter_answer *next;
    struct event event;
    _Alignas(16) uint8_t memory[];
};

struct interpreter {
    struct engine *engine;
    struct step *step;
    const struct interpreter_calls *calls;
    void *arg;
    struct interpreter_answer *first, **end;
};

/* Begins without answers that are due. All pointers live as long as the interpreter. */
void interpreter_init(struct interpreter *interpreter, struct engine *engine, struct step *step,
                      const struct interpreter_calls *calls, void *arg);

/* Releases the answers that are due. */
void interpreter_clear(struct interpreter *interpreter);

/* Gives the engine an event, then all answers that are due, until none is. */
void interpreter_give(struct interpreter *interpreter, const struct event *event);

/* Carries out one effect; its answer becomes due. A shell that calls only this, and takes the
 * answers with interpreter_take, needs no engine and no step in the interpreter. */
void interpreter_perform(struct interpreter *interpreter, const struct effect *effect);

/* Makes an answer due, with a copy of its batch or letter. */
void interpreter_answer(struct interpreter *interpreter, const struct event *event);

/* Checks what `count` answers hold as one run (batch_verify_continues): a new answer, which the
 * caller frees, and which takes the place of the first if its verdict is good. */
struct interpreter_answer *interpreter_merge(struct interpreter *interpreter,
                                             struct interpreter_answer *const *answers,
                                             size_t count);

/* Takes the next answer out, for a test that gives it later or never; the caller frees it. NULL:
 * none is due. */
struct interpreter_answer *interpreter_take(struct interpreter *interpreter);

#endif
