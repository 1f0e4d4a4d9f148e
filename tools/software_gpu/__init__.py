"""A GPU where there is none: llama.cpp's Vulkan backend on Mesa's software driver.

Listing devices, offload, memory by device and running out of it can be tried for real
on it, only slowly. ``make test-gpu`` builds it where llama.cpp finds no other GPU, into
``build/software-gpu``, in about 11 minutes on two processors; on Debian and its
relatives.
"""
