/* The port for a POSIX host: for tests, and for devices that run Linux. */
#define _GNU_SOURCE
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t port_monotonic_ms(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t port_unix_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

void port_random(uint8_t *bytes, size_t size)
{
    /* Never interrupted and always whole for so little; a device that can be foreseen must not run. */
    if (getrandom(bytes, size, 0) != (ssize_t)size)
        abort();
}

void port_log(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
}

int port_connect(const char *host, uint16_t port)
{
    static unsigned attempt;
    char service[8];
    struct addrinfo *found, *one_of, wanted = {.ai_socktype = SOCK_STREAM};
    snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(host, service, &wanted, &found) != 0)
        return -1;
    /* A name may have several addresses: each attempt takes the next one. */
    unsigned count = 0;
    for (one_of = found; one_of != NULL; one_of = one_of->ai_next)
        count++;
    one_of = found;
    for (unsigned skip = attempt++ % count; skip > 0; skip--)
        one_of = one_of->ai_next;
    int one = 1, socket_ = socket(one_of->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_ >= 0 && connect(socket_, one_of->ai_addr, one_of->ai_addrlen) != 0 && errno != EINPROGRESS) {
        close(socket_);
        socket_ = -1;
    }
    if (socket_ >= 0)
        setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    freeaddrinfo(found);
    return socket_;
}

int port_connected(int socket)
{
    struct pollfd state = {.fd = socket, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof error;
    if (poll(&state, 1, 0) <= 0)
        return 0;
    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0 ? 1 : -1;
}

int port_send(int socket, const uint8_t *bytes, size_t size)
{
    ssize_t sent = send(socket, bytes, size, MSG_NOSIGNAL);
    return sent >= 0 ? (int)sent : errno == EAGAIN || errno == EINTR ? 0 : -1;
}

int port_receive(int socket, uint8_t *bytes, size_t size)
{
    ssize_t got = recv(socket, bytes, size, 0);
    if (got > 0)
        return (int)got;
    return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

void port_close(int socket)
{
    close(socket);
}

/* Lines of input that were read and not yet asked for. */
static struct {
    bool is_used;
    bool has_ended;
    size_t size;
    char text[4096];
} input;

void port_wait(int socket, bool want_write, int64_t timeout_ms)
{
    struct pollfd states[] = {
        {.fd = socket, .events = want_write ? POLLIN | POLLOUT : POLLIN},
        {.fd = input.is_used && !input.has_ended ? STDIN_FILENO : -1, .events = POLLIN},
    };
    poll(states, 2, timeout_ms < 0 ? 0 : timeout_ms > 60000 ? 60000 : (int)timeout_ms);
}

long port_read_file(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -1;
    size_t got = fread(text, 1, size, file);
    fclose(file);
    if (got == size)
        return -1;
    text[got] = 0;
    return (long)got;
}

uint8_t *port_store(const char *path, size_t *size)
{
    struct stat state;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    /* The lock goes with the process: no two may number for one device. */
    if (file < 0 || flock(file, LOCK_EX | LOCK_NB) != 0 || fstat(file, &state) != 0)
        return NULL;
    if ((size_t)state.st_size > *size)
        *size = (size_t)state.st_size;
    else if (ftruncate(file, (off_t)*size) != 0)
        return NULL;
    void *memory = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* Reads more input if there is some now. */
static void read_input(void)
{
    struct pollfd state = {.fd = STDIN_FILENO, .events = POLLIN};
    if (input.has_ended || input.size == sizeof input.text || poll(&state, 1, 0) <= 0)
        return;
    ssize_t got = read(STDIN_FILENO, input.text + input.size, sizeof input.text - input.size);
    input.has_ended = got == 0 || (got < 0 && errno != EINTR);
    input.size += got > 0 ? (size_t)got : 0;
}

bool port_line(char *line, size_t size)
{
    input.is_used = true;
    const char *end = memchr(input.text, '\n', input.size);
    if (end == NULL) {
        read_input();
        end = memchr(input.text, '\n', input.size);
    }
    if (end == NULL) {
        /* A line longer than any that could be meant. */
        input.size = input.size == sizeof input.text ? 0 : input.size;
        return false;
    }
    size_t length = (size_t)(end - input.text), kept = length < size ? length : size - 1;
    memcpy(line, input.text, kept);
    line[kept] = 0;
    input.size -= length + 1;
    memmove(input.text, end + 1, input.size);
    return true;
}
