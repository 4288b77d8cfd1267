"""What only the team may see, by a name and a password that the browser asks for."""

import hmac

from flask import Blueprint, current_app, request

admin = Blueprint("admin", __name__, url_prefix="/admin")


@admin.before_request
def known():
    given = request.authorization
    password = (given.password or "") if given and given.type == "basic" else ""
    wanted = current_app.extensions["settings"].admin_password
    same = hmac.compare_digest(password.encode(), wanted.encode())
    if not (same and given.username == "admin"):
        return {"error": "who are you?"}, 401, {"www-authenticate": 'Basic realm="stock-lessons", charset="UTF-8"'}
    return None


@admin.get("/")
def summary():
    return {"lessons": current_app.extensions["store"].summary()}
