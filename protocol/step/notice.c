#include "protocol/step/notice.h"

#include <assert.h>

void notice_put(struct notices *notices, const struct notice *notice)
{
    assert(notices->count < NOTICE_COUNT_MAX);
    notices->all[(notices->first + notices->count++) % NOTICE_COUNT_MAX] = *notice;
}

bool notice_take(struct notices *notices, struct notice *ret_notice)
{
    if (notices->count == 0)
        return false;
    *ret_notice = notices->all[notices->first];
    notices->first = (notices->first + 1) % NOTICE_COUNT_MAX;
    notices->count--;
    return true;
}
