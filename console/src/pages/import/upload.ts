// Sends a file and reads the report while both run. `fetch` can't tell how much of a body is sent.
import { kindOfStatus, RequestError } from "~/api/errors";
import { sessionEnded } from "~/api/session";
import { ReportReader, type Report } from "./report";

export interface Progress extends Report {
  /** How much of the file is sent, 0 to 1. */
  sent: number;
}

interface Upload {
  done: Promise<Report>;
  stop: () => void;
}

/** The service's problem, as `application/problem+json` has it. */
function problemOf(text: string): string | null {
  try {
    const { detail, title } = JSON.parse(text) as { detail?: string; title?: string };
    return detail ?? title ?? null;
  } catch {
    return null;
  }
}

export function upload(address: string, file: Blob, onProgress: (progress: Progress) => void): Upload {
  const request = new XMLHttpRequest();
  const reader = new ReportReader();
  let sent = 0;
  let isStopped = false;
  let frame = 0;
  const tell = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      onProgress({ sent, lines: [...reader.lines], summary: reader.summary });
    });
  };
  const done = new Promise<Report>((resolve, reject) => {
    request.upload.onprogress = ({ loaded, total }) => {
      sent = total > 0 ? loaded / total : 1;
      tell();
    };
    request.onprogress = () => {
      if (request.status === 200 && reader.read(request.responseText)) tell();
    };
    request.onload = () => {
      const id = request.getResponseHeader("x-request-id");
      if (request.status !== 200) {
        const kind = kindOfStatus(request.status);
        if (kind === "session") sessionEnded();
        reject(new RequestError(kind, problemOf(request.responseText) ?? `The answer has the status ${request.status}.`, id));
        return;
      }
      reader.read(request.responseText);
      resolve({ lines: [...reader.lines], summary: reader.summary });
    };
    // A file that changed since it was chosen can't be read any more: the browser ends the request.
    request.onerror = () => reject(new RequestError("cut-off", "The connection failed, or the file changed since it was chosen. Choose it again.", null));
    request.onabort = () => {
      if (isStopped) resolve({ lines: [...reader.lines], summary: null });
    };
    request.open("POST", address);
    request.setRequestHeader("content-type", "application/x-ndjson");
    request.setRequestHeader("accept", "application/x-ndjson");
    request.send(file);
  });
  return {
    done: done.finally(() => cancelAnimationFrame(frame)),
    stop: () => {
      isStopped = true;
      request.abort();
    },
  };
}
