#include "node/roster_sync/publisher.h"

#include "node/roster_sync/roster_sync.h"
#include "protocol/wire/frame.h"

void publisher_up(struct runtime *runtime, struct link_id link)
{
    roster_sync_ask(runtime_roster_sync(runtime), link);
}

void publisher_down(struct runtime *runtime, struct link_id link)
{
    runtime_link_forget(runtime, link);
}

/* ROSTER-45 */
void publisher_frame(struct runtime *runtime, struct link_id link, struct bytes frame)
{
    struct roster_sync *roster_sync = runtime_roster_sync(runtime);
    struct head_id waiting;
    uint64_t epoch;
    if (frame.size == 0 || (frame.data[0] != FRAME_HEADS && frame.data[0] != FRAME_ROSTER_PART))
        return;
    roster_sync_frame(roster_sync, link, frame);
    if (frame.data[0] == FRAME_ROSTER_PART && !roster_is_behind(runtime_roster(runtime)) &&
        !roster_sync_healing(roster_sync, &waiting, &epoch))
        roster_sync_ask(roster_sync, link);
}
