"""Runs a program under a seccomp profile that answers bpf() with EPERM, as that of containers does.

usage: no-bpf.py PROGRAM [ARGUMENT…]
"""
import ctypes
import os
import struct
import sys

NO_NEW_PRIVS, SET_SECCOMP, FILTER = 38, 22, 2
SYS_BPF = 321 if os.uname().machine == "x86_64" else 280
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
DENY_EPERM, ALLOW = 0x00050001, 0x7FFF0000
code = b"".join(
    struct.pack("HBBI", *line)
    for line in [(LOAD, 0, 0, 0), (JUMP_EQUAL, 0, 1, SYS_BPF), (RETURN, 0, 0, DENY_EPERM), (RETURN, 0, 0, ALLOW)]
)
lines = ctypes.create_string_buffer(code)
program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(lines)))
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0)
if libc.prctl(SET_SECCOMP, FILTER, ctypes.c_void_p(ctypes.addressof(program)), 0, 0) != 0:
    sys.exit(f"no seccomp: {os.strerror(ctypes.get_errno())}")
os.execvp(sys.argv[1], sys.argv[1:])
