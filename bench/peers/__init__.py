"""How others send the same newsletter. Each is a program: HOST PORT COUNT CONNECTIONS FOLDER."""
