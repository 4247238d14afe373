#include "node/federation/publisher.h"

#include "node/federation/shell_state.h"
#include "protocol/link/frame.h"

void publisher_up(struct shell *shell, struct link_id link)
{
    heads_ask(shell->heads, link);
}

void publisher_down(struct shell *shell, struct link_id link)
{
    outbox_forget(shell->outbox, link);
}

/* ROSTER-45 */
void publisher_frame(struct shell *shell, struct link_id link, struct bytes frame)
{
    if (frame.size == 0 || (frame.data[0] != FRAME_HEADS && frame.data[0] != FRAME_ROSTER_PART))
        return;
    struct head_id waiting;
    uint64_t epoch;
    heads_frame(shell->heads, link, frame);
    if (frame.data[0] == FRAME_ROSTER_PART && !roster_is_behind(&shell->roster) &&
        !heads_healing(shell->heads, &waiting, &epoch))
        heads_ask(shell->heads, link);
}
