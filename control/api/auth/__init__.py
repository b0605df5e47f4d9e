# SPDX-License-Identifier: Apache-2.0
"""Who asks. An authenticator turns a request into a Context, or refuses; which one is a setting."""
