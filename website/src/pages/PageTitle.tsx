import { useEffect, useRef } from 'react';

interface Props {
  children: string;
  className?: string;
}

/** Has the first page been shown? Its focus is the browser's business, that of the following ones is ours. */
let moved = false;

/** The page's heading. It takes the focus when a page is gone to, so that a screen reader says where one is. */
export function PageTitle({ children, className = '' }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${children.slice(0, 80)} · Matrix`;
    if (moved) heading.current?.focus({ preventScroll: true });
    moved = true;
  }, [children]);
  return (
    <h1 ref={heading} tabIndex={-1} className={`font-mono font-bold tracking-tight ${className}`}>
      <bdi dir="auto">{children}</bdi>
    </h1>
  );
}
