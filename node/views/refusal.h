/* Why something was not done, and what the person can do about it. */
#ifndef CONSILIUM_NODE_VIEWS_REFUSAL_H
#define CONSILIUM_NODE_VIEWS_REFUSAL_H

#include "protocol/base/error.h"

enum { REFUSAL_MESSAGE_SIZE = 1000, REFUSAL_TEXT_SIZE = 320 };

struct refusal {
    err code;
    char message[REFUSAL_MESSAGE_SIZE]; /* what is wrong; "; " separates several things */
    char hint[REFUSAL_TEXT_SIZE];       /* what to do */
};

/* Fills `*ret_refusal` and returns `code`. `hint` NULL: the usual one for this code; `format` NULL:
 * the sentence of the code. What is too long is cut. */
err refusal_set(struct refusal *ret_refusal, err code, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Nothing is wrong so far: before the first refusal_add. */
void refusal_clear(struct refusal *ret_refusal);

/* One more thing that is wrong. The first one decides code and hint. Returns that code. */
err refusal_add(struct refusal *refusal, err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds what is wrong by `other`, without what is there already. */
void refusal_merge(struct refusal *refusal, const struct refusal *other);

/* The same as refusal_set without words of its own; returns `code`. */
err refusal_of(struct refusal *ret_refusal, err code) __attribute__((nonnull));

#endif
