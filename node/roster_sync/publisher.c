#include "node/roster_sync/publisher.h"

#include "node/runtime/runtime_state.h"
#include "protocol/wire/frame.h"

void publisher_up(struct runtime *runtime, struct link_id link)
{
    roster_sync_ask(runtime->heads, link);
}

void publisher_down(struct runtime *runtime, struct link_id link)
{
    send_queue_forget(runtime->send_queue, link);
}

/* ROSTER-45 */
void publisher_frame(struct runtime *runtime, struct link_id link, struct bytes frame)
{
    if (frame.size == 0 || (frame.data[0] != FRAME_HEADS && frame.data[0] != FRAME_ROSTER_PART))
        return;
    struct head_id waiting;
    uint64_t epoch;
    roster_sync_frame(runtime->heads, link, frame);
    if (frame.data[0] == FRAME_ROSTER_PART && !roster_is_behind(&runtime->roster) &&
        !roster_sync_healing(runtime->heads, &waiting, &epoch))
        roster_sync_ask(runtime->heads, link);
}
