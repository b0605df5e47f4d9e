# SPDX-License-Identifier: Apache-2.0
"""The built-in identity: users, projects, roles and tokens, so that OpenStack's clients need no OpenStack."""
