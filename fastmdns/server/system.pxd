# SPDX-License-Identifier: Apache-2.0
"""The system calls of the server, as Linux declares them, and two leaves every part of it needs."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec
from fastmdns.answer cimport Peer, iovec


cdef extern from *:
    """
    #ifndef _GNU_SOURCE
    #define _GNU_SOURCE
    #endif
    #include <sys/socket.h>
    #include <sys/epoll.h>
    #include <netinet/in.h>
    #include <errno.h>
    #include <netinet/udp.h>
    #ifndef UDP_SEGMENT
    #define UDP_SEGMENT 103
    #endif
    #ifndef EPOLLEXCLUSIVE
    #define EPOLLEXCLUSIVE (1u << 28)
    #endif
    """

cdef extern from "<errno.h>" nogil:
    int errno
    enum: EAGAIN
    enum: EINTR
    enum: EINVAL
    enum: EIO
    enum: EMSGSIZE
    enum: EOPNOTSUPP
    enum: EMFILE
    enum: ENFILE
    enum: ENOBUFS
    enum: ENOMEM

cdef extern from "<sys/ioctl.h>" nogil:
    enum: TIOCOUTQ
    int ioctl(int fd, unsigned long request, ...)

cdef extern from "<netinet/in.h>" nogil:
    ctypedef unsigned short in_port_t
    struct in_addr:
        uint32_t s_addr
    struct sockaddr_in:
        unsigned short sin_family
        in_port_t sin_port
        in_addr sin_addr
    struct in6_addr:
        pass
    struct sockaddr_in6:
        unsigned short sin6_family
        in_port_t sin6_port
        in6_addr sin6_addr
    struct in_pktinfo:
        int ipi_ifindex
    enum: IPPROTO_IP
    enum: IPPROTO_UDP
    enum: IP_PKTINFO
    uint16_t ntohs(uint16_t value)

cdef extern from "<netinet/udp.h>" nogil:
    enum: UDP_SEGMENT

cdef extern from "<sys/socket.h>" nogil:
    enum: AF_INET
    enum: AF_INET6
    enum: SOCK_NONBLOCK
    enum: SOCK_CLOEXEC
    enum: MSG_DONTWAIT
    enum: MSG_NOSIGNAL
    enum: MSG_TRUNC
    enum: SOL_SOCKET
    enum: SO_LINGER
    struct linger:
        int l_onoff
        int l_linger
    ctypedef unsigned int socklen_t
    struct sockaddr:
        unsigned short sa_family
    struct sockaddr_storage:
        unsigned short ss_family
    struct msghdr:
        void *msg_name
        socklen_t msg_namelen
        iovec *msg_iov
        size_t msg_iovlen
        void *msg_control
        size_t msg_controllen
        int msg_flags
    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len
    struct cmsghdr:
        size_t cmsg_len
        int cmsg_level
        int cmsg_type
    size_t CMSG_LEN(size_t size)
    size_t CMSG_SPACE(size_t size)
    cmsghdr *CMSG_FIRSTHDR(msghdr *message)
    unsigned char *CMSG_DATA(cmsghdr *control)
    int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
    int accept4(int fd, sockaddr *address, socklen_t *size, int flags)
    Py_ssize_t recv(int fd, void *data, size_t size, int flags)
    Py_ssize_t send(int fd, const void *data, size_t size, int flags)
    Py_ssize_t sendmsg(int fd, const msghdr *message, int flags)
    int recvmmsg(int fd, mmsghdr *messages, unsigned int count, int flags, timespec *timeout)
    int sendmmsg(int fd, mmsghdr *messages, unsigned int count, int flags)

cdef extern from "<sys/epoll.h>" nogil:
    enum: EPOLLIN
    enum: EPOLLOUT
    enum: EPOLLRDHUP
    enum: EPOLLHUP
    enum: EPOLLERR
    enum: EPOLL_CTL_ADD
    enum: EPOLL_CTL_MOD
    enum: EPOLL_CTL_DEL
    enum: EPOLL_CLOEXEC
    const unsigned int EPOLLET
    const unsigned int EPOLLEXCLUSIVE
    ctypedef union epoll_data_t:
        uint64_t u64
        void *ptr
    struct epoll_event:
        uint32_t events
        epoll_data_t data
    int epoll_create1(int flags)
    int epoll_ctl(int epoll, int operation, int fd, epoll_event *event)
    int epoll_wait(int epoll, epoll_event *events, int count, int milliseconds)


cdef inline uint64_t monotonic_ns() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return <uint64_t>now.tv_sec * 1000000000 + <uint64_t>now.tv_nsec


cdef inline void peer_from_sockaddr(const sockaddr_storage *source, Peer *peer) noexcept nogil:
    """IPv4 as it is also where an IPv6 socket of systemd's brought it (::ffff:a.b.c.d): access rules know one form."""
    cdef const sockaddr_in *four = <const sockaddr_in *>source
    cdef const sockaddr_in6 *six = <const sockaddr_in6 *>source
    cdef const uint8_t *octets = <const uint8_t *>&six.sin6_addr
    if source.ss_family == AF_INET:
        peer.port = ntohs(four.sin_port)
        peer.address_length = 4
        memcpy(peer.address, &four.sin_addr, 4)
        return
    peer.port = ntohs(six.sin6_port)
    if is_mapped(octets):
        peer.address_length = 4
        memcpy(peer.address, octets + 12, 4)
    else:
        peer.address_length = 16
        memcpy(peer.address, octets, 16)


cdef inline bint is_mapped(const uint8_t *octets) noexcept nogil:
    cdef int index
    for index in range(10):
        if octets[index]:
            return False
    return octets[10] == 0xFF and octets[11] == 0xFF
