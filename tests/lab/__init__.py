"""A private Internet for the tests: CA, name servers, resolvers and the DNS Made Easy API in namespaces of their own."""

from .lab import Lab, LabUnavailable, Result

__all__ = ["Lab", "LabUnavailable", "Result"]
