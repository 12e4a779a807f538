"""Loads a BPF program that does nothing, attaches it as Cilium does and pins the link.

usage: attach.py tcx DEVICE NAME [PIN] | xdp DEVICE NAME [PIN] | cgroup FOLDER NAME [PIN] | tc NAME PIN | xdp-program NAME PIN
"""
import ctypes
import os
import socket
import struct
import sys

BPF_OBJ_PIN, BPF_PROG_LOAD, BPF_LINK_CREATE = 6, 5, 28
SCHED_CLS, XDP, CGROUP_SOCK_ADDR = 3, 6, 18
TCX_INGRESS, XDP_ATTACH, CGROUP_INET4_CONNECT = 46, 37, 10
SYS_BPF = 321 if os.uname().machine == "x86_64" else 280
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes.ljust(144, b"\0"), 144)
    result = libc.syscall(SYS_BPF, command, buffer, 144)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def load(program_type, name, expected):
    code = struct.pack("<BBhi", 0xB7, 0, 0, 1) + struct.pack("<BBhi", 0x95, 0, 0, 0)
    instructions = ctypes.create_string_buffer(code, len(code))
    licence = ctypes.create_string_buffer(b"GPL")
    return bpf(BPF_PROG_LOAD, struct.pack(
        "<IIQQIIQII16sII", program_type, len(code) // 8, ctypes.addressof(instructions), ctypes.addressof(licence),
        0, 0, 0, 0, 0, name.encode()[:15], 0, expected))


def pin(fd, path):
    name = ctypes.create_string_buffer(path.encode())
    bpf(BPF_OBJ_PIN, struct.pack("<QII", ctypes.addressof(name), fd, 0))


kind, target, name = sys.argv[1:4]
path = sys.argv[4] if len(sys.argv) > 4 else None
if kind == "tc":
    pin(load(SCHED_CLS, target, 0), name)
elif kind == "xdp-program":
    pin(load(XDP, target, 0), name)
elif kind == "tcx":
    index = socket.if_nametoindex(target)
    link = bpf(BPF_LINK_CREATE, struct.pack("<IIII", load(SCHED_CLS, name, 0), index, TCX_INGRESS, 0))
    pin(link, path)
elif kind == "xdp":
    index = socket.if_nametoindex(target)
    pin(bpf(BPF_LINK_CREATE, struct.pack("<IIII", load(XDP, name, XDP_ATTACH), index, XDP_ATTACH, 0)), path)
elif kind == "cgroup":
    folder = os.open(target, os.O_RDONLY)
    link = bpf(BPF_LINK_CREATE, struct.pack("<IIII", load(CGROUP_SOCK_ADDR, name, CGROUP_INET4_CONNECT), folder, CGROUP_INET4_CONNECT, 0))
    pin(link, path)
else:
    sys.exit(__doc__)
