#include "node/http/http_peer.h"

#include <sys/socket.h>
#include <unistd.h>

enum { HTTP_PEER_GROUP_COUNT_MAX = 256 };

struct http_peer http_peer_of(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return (struct http_peer){.is_known = false};
    return (struct http_peer){.is_known = true,
                              .uid = peer.uid,
                              .gid = peer.gid,
                              .is_own_process = peer.pid == getpid(),
                              .fd = fd};
}

bool http_peer_in_group(const struct http_peer *peer, gid_t group)
{
    if (!peer->is_known)
        return false;
    if (peer->gid == group)
        return true;
    gid_t groups[HTTP_PEER_GROUP_COUNT_MAX];
    socklen_t size = sizeof groups;
    if (getsockopt(peer->fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
        return false;
    for (size_t i = 0; i < size / sizeof groups[0]; i++) {
        if (groups[i] == group)
            return true;
    }
    return false;
}
